import {
  bool,
  commonInputs,
  digest,
  type InputSpecs,
  type InputValues,
  list,
  pairs,
  text,
  textOrEmpty,
} from '@gitless/ci';

export const inputs = {
  ...commonInputs,
  name: text(),
  path: text(),
  unrendered: bool(false),
  rendered: text(),
  'rendered-digest': digest(),
  'path-prefix': textOrEmpty('{component}'),
  annotations: pairs(),
  source: text(),
  revision: text(),
  created: text(),
  'allow-secrets': bool(false),
  'allow-dirty': list(),
} satisfies InputSpecs;

export type Inputs = InputValues<typeof inputs>;
