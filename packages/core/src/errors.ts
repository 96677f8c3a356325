/** What a reader needs to act on a failure: what happened, why, and what to do. None of the texts may hold a secret. */
export interface Problem {
  /** Stable, upper snake case, documented in `docs/errors.md`. */
  readonly code: string;
  readonly what: string;
  readonly why?: string;
  readonly fix?: string;
  /** Several findings of the same kind, one line each. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
}

/**
 * A failure that the user or their environment can mend: printed as text, never with a stack.
 * Everything else that is thrown is a defect of ours.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.what} [${problem.code}]`, { cause: problem.cause });
    this.problem = problem;
  }

  get code(): string {
    return this.problem.code;
  }
}

/** The message of anything that can be thrown, with its chain of causes. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.cause === undefined ? error.message : `${error.message}: ${errorMessage(error.cause)}`;
}

/** {@link describeError}, and where to read on; `docs` is the address of the folder that holds errors.md. */
export function formatError(error: unknown, docs = 'docs'): string {
  const text = describeError(error);
  return error instanceof UserError ? `${text}\nMore: ${docs}/errors.md#${error.code.toLowerCase()}` : text;
}

/** `what happened [CODE]`, then the details, why and what to do, one a line. */
export function describeError(error: unknown): string {
  if (!(error instanceof UserError)) {
    return `unexpected failure [INTERNAL]: ${errorMessage(error)}\nThis is a defect of gitless: please report it with the log of a run that has RUNNER_DEBUG=1.`;
  }
  const { what, code, why, fix, details, cause } = error.problem;
  const lines = [`${what} [${code}]`];
  for (const detail of details ?? []) {
    lines.push(`  - ${detail}`);
  }
  if (why !== undefined) {
    lines.push(`Why: ${why}`);
  }
  if (cause !== undefined) {
    lines.push(`Cause: ${errorMessage(cause)}`);
  }
  if (fix !== undefined) {
    lines.push(`Fix: ${fix}`);
  }
  return lines.join('\n');
}
