import type { HttpClient } from './http.ts';
import type { Logger } from './log.ts';

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly cwd?: string;
  /** Added to the allow-listed environment; nothing else reaches the child (invariant 5). */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program without a shell. Rejects with `TOOL_MISSING` when it is not on PATH; a non-zero exit code is a result. */
export type Exec = (file: string, args: readonly string[], options?: ExecOptions) => Promise<ExecResult>;

/** Everything a package may know of the world around it. Built once by `@gitless/ci`; packages never read `process`. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  readonly http: HttpClient;
  readonly exec: Exec;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly signal: AbortSignal;
  /** Makes the runner hide `secret` from now on. Called the moment a secret exists, before anything can print it. */
  readonly mask: (secret: string) => void;
}
