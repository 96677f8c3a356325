export { type Action, runMain, startAction } from './action.ts';
export { setDigestOutputs } from './digest-outputs.ts';
export type { Event } from './github.ts';
export { type IdToken, type IdTokenClaims, mintIdToken } from './id-token.ts';
export {
  bool,
  digest,
  type InputSpec,
  type InputSpecs,
  type InputValues,
  list,
  oneOf,
  pairs,
  required,
  secret,
  text,
  textOrEmpty,
  url,
  withDefault,
} from './inputs.ts';
export { codeBlock, details, escapeMarkdown, table } from './markdown.ts';
export { policySource } from './policy-source.ts';
export { commonInputs, identityInputs, registryInputs, serviceInputs, triggerInputs } from './shared-inputs.ts';
export { requireTrustedTrigger, type Trigger, type TriggerRules } from './trigger.ts';
export { commitDate, dirtyFiles, listFiles, requireClean, requireCommit } from './working-tree.ts';
