import { bool, commonInputs, type InputSpecs, type InputValues, list, oneOf, text } from '@gitless/ci';

export const inputs = {
  ...commonInputs,
  name: text(),
  path: text(),
  engine: oneOf(['auto', 'helm', 'kustomize', 'plain'], 'auto'),
  environments: list(),
  values: list(),
  namespace: text(),
  'release-name': text(),
  'kube-version': text(),
  'api-versions': list(),
  'include-crds': bool(false),
  'allow-dirty': list(),
} satisfies InputSpecs;

export type Inputs = InputValues<typeof inputs>;
