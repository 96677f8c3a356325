import { URI_BASE } from '@gitless/core';
import * as v from 'valibot';
import { sortedBy } from './order.ts';

/** A check that ran in this process and passed. */
export interface PassedCheck {
  /** Stable, as in `docs/checks.md`: `schema`, `no-remote-resources`. */
  readonly name: string;
  /** What it looked at and with which settings, for a reader. */
  readonly description: string;
}

/** A test-result as the suite signs it: passed, with the names of the checks. */
export const TestResultSchema = v.object({
  result: v.literal('PASSED'),
  configuration: v.array(
    v.object({
      name: v.string(),
      uri: v.string(),
      annotations: v.object({ description: v.string() }),
    }),
  ),
  passedTests: v.pipe(v.array(v.string()), v.minLength(1)),
});

export type TestResult = v.InferOutput<typeof TestResultSchema>;

/**
 * The in-toto test-result v0.1 of checks that all passed (in-toto/attestation `spec/predicates/test-result.md`).
 * There is no other result: Flux takes any statement by an accepted identity for a signature, so a signed FAILED would
 * release what it judges (design: invariant 11). Throws when nothing was checked, which must never read as passed.
 */
export function testResultPredicate(input: { readonly checks: readonly PassedCheck[] }): TestResult {
  if (input.checks.length === 0) {
    throw new RangeError('a test result needs at least one check');
  }
  const checks = sortedBy(input.checks, (check) => check.name);
  return {
    result: 'PASSED',
    configuration: checks.map(({ name, description }) => ({
      name,
      uri: `${URI_BASE}checks/${encodeURIComponent(name)}`,
      annotations: { description },
    })),
    passedTests: checks.map(({ name }) => name),
  };
}
