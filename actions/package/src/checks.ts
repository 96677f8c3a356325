import type { TreeFile } from '@gitless/artifact';
import { UserError } from '@gitless/core';
import type { PackedObject } from '@gitless/pipeline';
import { type CheckReport, checkRenderedTree, checkSourceTree } from '@gitless/render';

const SECRETS: CheckReport['checks'][number]['name'] = 'no-plaintext-secret';

export interface CheckedTree {
  /** Those that ran and passed: what the test-result statement names. */
  readonly checks: CheckReport['checks'];
  readonly objects: readonly PackedObject[];
  readonly findings: readonly string[];
}

/**
 * Runs the checks that fit the tree in this process; only what ran here is attested (invariant 10). With `allowSecrets` a plaintext Secret
 * becomes a finding, and the check is not claimed. Throws `CHECKS_FAILED` naming every problem.
 */
export function runChecks(
  source: { readonly name: string; readonly files: readonly TreeFile[]; readonly rendered: boolean },
  allowSecrets: boolean,
): CheckedTree {
  const report = source.rendered ? checkRenderedTree(source.files) : checkSourceTree(source.files);
  const allowed = allowSecrets ? report.problems.filter(({ check }) => check === SECRETS) : [];
  const refused = report.problems.filter((problem) => !allowed.includes(problem));
  if (refused.length > 0) {
    throw new UserError({
      code: 'CHECKS_FAILED',
      what: `${source.name} does not pass the checks`,
      details: refused.slice(0, 100).map(({ check, file, message }) => `${file}: ${message} (${check})`),
      fix: 'mend what is named; encrypt Secrets with SOPS, and bring what a kustomization names from outside into the component',
    });
  }
  return {
    checks: report.checks.filter(({ name }) => !(allowSecrets && name === SECRETS)),
    objects: report.objects.map(({ file, object }) => ({
      file,
      value: object.value,
      apiVersion: object.apiVersion,
      kind: object.kind,
      name: object.name,
      ...(object.namespace === undefined ? {} : { namespace: object.namespace }),
    })),
    findings: allowed.map(({ file, message }) => `${file}: ${message} (allowed by allow-secrets)`),
  };
}
