import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { type Exec, UserError } from '@gitless/core';

/** All that a child process may see of our environment (invariant 5): where programs and certificates are, and how to reach the network. */
const ALLOWED = [
  'PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'SSL_CERT_FILE', 'SSL_CERT_DIR',
  'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy',
]; // biome-ignore format: one glance

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** As much as is told of a failure: a tool's own exit code is a result and not one. */
type ExecFailure = Error & { readonly code?: unknown; readonly signal?: NodeJS.Signals | null };

/**
 * Node's own `execFile` instead of `@actions/exec`: the latter can neither bound the output nor be cancelled.
 * Never a shell; the arguments reach the program as they are. A program that a signal ended has 128 and the signal's number as exit
 * code, as in a shell. Rejects with `TOOL_MISSING`, `PATH_MISSING` (the working directory), `TOOL_OUTPUT_TOO_LARGE`, or with the reason
 * of `signal` once that is aborted.
 */
export function createExec(env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Exec {
  const allowed = Object.fromEntries(
    ALLOWED.map((name) => [name, env[name]]).filter(([, value]) => value !== undefined),
  );
  return (file, args, options = {}) =>
    new Promise((resolve, reject) => {
      execFile(
        file,
        [...args],
        {
          env: { ...allowed, ...options.env },
          maxBuffer: MAX_OUTPUT_BYTES,
          signal,
          ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        },
        (error, stdout, stderr) => {
          const exitCode = error === null ? 0 : exitCodeOf(error);
          if (signal.aborted) {
            reject(signal.reason);
          } else if (exitCode !== undefined) {
            resolve({ exitCode, stdout, stderr });
          } else {
            reject(asUserError(file, options.cwd, error));
          }
        },
      );
    });
}

function exitCodeOf({ code, signal }: ExecFailure): number | undefined {
  if (typeof code === 'number') {
    return code;
  }
  return typeof code !== 'string' && signal ? 128 + constants.signals[signal] : undefined;
}

function asUserError(file: string, cwd: string | undefined, error: ExecFailure | null): unknown {
  if (cwd !== undefined && !existsSync(cwd)) {
    return new UserError({
      code: 'PATH_MISSING',
      what: `${file} cannot run in ${cwd}`,
      why: 'there is no such directory',
      fix: 'correct the path, relative to the checkout',
    });
  }
  switch (error?.code) {
    case 'ENOENT':
    case 'EACCES':
      return new UserError({
        code: 'TOOL_MISSING',
        what: `${file} is not installed on this runner`,
        why: error.code === 'ENOENT' ? 'it is not on PATH' : 'the file may not be executed',
        fix: `install ${file} in a step before this one`,
      });
    case 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER':
      return new UserError({
        code: 'TOOL_OUTPUT_TOO_LARGE',
        what: `${file} printed more than ${MAX_OUTPUT_BYTES / 1024 / 1024} MiB`,
        why: 'output is read up to a limit, so that a hostile or broken tool cannot exhaust the runner',
        fix: 'split what it works on',
      });
    default:
      return error;
  }
}
