import {
  commonInputs,
  type InputSpecs,
  type InputValues,
  identityInputs,
  list,
  registryInputs,
  text,
  triggerInputs,
} from '@gitless/ci';

export const inputs = {
  ...commonInputs,
  layout: text(),
  tags: list(),
  ...registryInputs,
  ...identityInputs,
  ...triggerInputs,
} satisfies InputSpecs;

export type Inputs = InputValues<typeof inputs>;
