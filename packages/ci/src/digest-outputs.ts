import type { Action } from './action.ts';

/**
 * The outputs `digest` and `digests` (design §4b): with one component its digest, with several an empty scalar;
 * `digests` is JSON, name → digest, of what succeeded.
 */
export function setDigestOutputs(
  action: Pick<Action, 'setOutput'>,
  components: readonly { readonly name: string; readonly status: string; readonly digest?: string }[],
): void {
  const done = components.filter(({ status, digest }) => status !== 'failed' && digest !== undefined);
  const [first] = done;
  action.setOutput('digest', done.length === 1 ? (first?.digest ?? '') : '');
  action.setOutput('digests', JSON.stringify(Object.fromEntries(done.map(({ name, digest }) => [name, digest]))));
}
