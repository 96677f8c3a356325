export { type Action, runMain, startAction } from './action.ts';
export { type Event, isDefaultBranch } from './github.ts';
export { type IdToken, type IdTokenClaims, mintIdToken } from './id-token.ts';
export {
  bool,
  commonInputs,
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
  url,
  withDefault,
} from './inputs.ts';
export { requireTrustedTrigger, type Trigger, type TriggerRules } from './trigger.ts';
export { commitDate, readWorkingTree, requireClean, type WorkingTree } from './working-tree.ts';
