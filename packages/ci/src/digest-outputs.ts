import type { Action } from './action.ts';

/**
 * The outputs `digest` and `digests` (design §4b): with one component its digest, with several an empty scalar, however many of them
 * succeeded; `digests` is JSON, name → digest, of what succeeded.
 */
export function setDigestOutputs(
  action: Pick<Action, 'setOutput'>,
  components: readonly { readonly name: string; readonly status: string; readonly digest?: string }[],
): void {
  const done = components.filter(({ status, digest }) => status !== 'failed' && digest !== undefined);
  action.setOutput('digest', components.length === 1 ? (done[0]?.digest ?? '') : '');
  action.setOutput('digests', JSON.stringify(Object.fromEntries(done.map(({ name, digest }) => [name, digest]))));
}
