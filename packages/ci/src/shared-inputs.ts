import { bool, type InputSpecs, list, secret, text, url } from './inputs.ts';

/** Inputs that every action takes. */
export const commonInputs = {
  config: text(),
  components: list(),
  'work-dir': text(),
  summary: bool(true),
} satisfies InputSpecs;

/** Opt-ins of actions that ask for a token or publish (invariant 12). */
export const triggerInputs = {
  'allow-events': list(),
  'allow-refs': list(),
} satisfies InputSpecs;

/** Which Sigstore instance signs. */
export const serviceInputs = {
  'signing-config': text(),
  'fulcio-url': url(),
  'rekor-url': url(),
  'tsa-url': url(),
  'oidc-audience': text(),
  'trusted-root': text(),
  'shared-identity': bool(false),
} satisfies InputSpecs;

/** Where artifacts are, and what opens the door. */
export const registryInputs = {
  registry: text(),
  repository: text(),
  username: text(),
  password: secret(),
  token: secret(),
  'job-token': secret(),
  'plain-http': bool(false),
} satisfies InputSpecs;

/** Who must have signed. */
export const identityInputs = {
  identity: text(),
  issuer: text(),
  'source-repository': text(),
  'trusted-root': text(),
} satisfies InputSpecs;
