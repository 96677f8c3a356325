import type { Action } from './action.ts';
import type { Trigger } from './trigger.ts';
import { requireCommit } from './working-tree.ts';

/** Where the rules of this run come from: its checkout, and whether that is of the default branch. */
export function policySource({ context, build, workspace }: Action, { onDefaultBranch }: Trigger) {
  return { workspace, onDefaultBranch, requireCommit: () => requireCommit(context, build, workspace) };
}
