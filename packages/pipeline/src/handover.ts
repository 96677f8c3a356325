import { readFile, rm } from 'node:fs/promises';
import { type Build, canonicalJson, describeError, errorMessage, parseJsonWith, UserError } from '@gitless/core';
import { type ComponentResult, type PromoteResult, type Result, ResultSchema } from './results.ts';
import { type WorkDir, writeFileAtomic } from './work-dir.ts';

/** A former run's result of this step must not be taken for this one's when the step fails early. */
export async function forgetResult(dir: WorkDir, step: string): Promise<void> {
  await rm(dir.result(step), { force: true });
}

/** Written last of all, by rename: a result that exists is complete. Returns its path. */
export async function writeResult(dir: WorkDir, result: Result | PromoteResult): Promise<string> {
  const path = dir.result(result.step);
  await writeFileAtomic(path, canonicalJson(result));
  return path;
}

const OTHERWISE: Readonly<Record<string, string>> = {
  render: '; to pack directories as they are, give path, or unrendered: true for those of gitless.yaml',
};

/** The result of the step before this one. Throws `STEP_MISSING`, `BAD_RESULT` or `RESULT_STALE`. */
export async function readResult(dir: WorkDir, step: Result['step'], build: Build): Promise<Result> {
  let json: string;
  try {
    json = await readFile(dir.result(step), 'utf8');
  } catch (error) {
    throw new UserError({
      code: 'STEP_MISSING',
      what: `there is no result of ${step} in ${dir.root}`,
      why: errorMessage(error),
      fix: `run ${step} before this step in the same job, or give this step the same work-dir${OTHERWISE[step] ?? ''}`,
    });
  }
  return parseResult(json, `the result of ${step}`, step, build);
}

export const RUN_AGAIN =
  'run the steps before this one again, from the same version of the suite, and let nothing else write to the work-dir';

/** Parses a predecessor's result and refuses one of another repository, commit or run; the attempt may differ (design §4b). */
export function parseResult(json: string | Uint8Array, where: string, step: Result['step'], build: Build): Result {
  const result = parseJsonWith(ResultSchema, json, { code: 'BAD_RESULT', where, fix: RUN_AGAIN });
  const differing = (['repository', 'sha', 'runId'] as const).filter((field) => result.build[field] !== build[field]);
  if (result.step !== step || differing.length > 0) {
    throw new UserError({
      code: 'RESULT_STALE',
      what: `${where} belongs to another run`,
      details: [
        ...(result.step === step ? [] : [`step: expected ${step}, seen ${result.step}`]),
        ...differing.map((field) => `${field}: expected ${build[field]}, seen ${result.build[field]}`),
      ],
      fix: 'run the steps before this one again in this run, or clear the work-dir',
    });
  }
  return result;
}

/** What a result says of a failure: the code, and the message without the pointer to the docs. */
export function failureOf(error: unknown): { code: string; message: string } {
  return { code: error instanceof UserError ? error.code : 'INTERNAL', message: describeError(error) };
}

/** What became of a step's components, by name: those that it worked on, and those of `listed` that had failed before. */
export function withFormerFailures(
  done: readonly ComponentResult[],
  listed: readonly ComponentResult[],
): ComponentResult[] {
  return [...done, ...listed.filter(({ status }) => status === 'failed')].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** After result and outputs are written: the job is red if any component failed. Throws `COMPONENTS_FAILED`. */
export function requireAllOk(
  components: readonly {
    readonly name: string;
    readonly status: string;
    readonly error?: { readonly message: string };
  }[],
): void {
  const failures = components.filter(({ status }) => status === 'failed');
  if (failures.length > 0) {
    throw new UserError({
      code: 'COMPONENTS_FAILED',
      what: countFailures(failures, components.length),
      details: failures.map(
        ({ name, error }) => `${name}: ${(error?.message ?? 'failed in an earlier step').replaceAll('\n', '\n    ')}`,
      ),
      fix: 'mend what is named and run the job again: what is published already stays as it is',
    });
  }
}

function countFailures(failures: readonly { readonly name: string }[], total: number): string {
  if (failures.length < total) {
    return `${failures.length} of ${total} components failed; the others are done`;
  }
  return total === 1 ? `${failures[0]?.name} failed` : `all ${total} components failed`;
}
