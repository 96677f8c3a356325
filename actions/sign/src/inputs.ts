import { commonInputs, type InputSpecs, type InputValues, serviceInputs, text, triggerInputs } from '@gitless/ci';

export const inputs = {
  ...commonInputs,
  layout: text(),
  ...serviceInputs,
  ...triggerInputs,
} satisfies InputSpecs;

export type Inputs = InputValues<typeof inputs>;
