import { execFile } from 'node:child_process';
import { type Exec, UserError } from '@gitless/core';

/** All that a child process may see of our environment (invariant 5): where programs and certificates are, and how to reach the network. */
const ALLOWED = [
  'PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'SSL_CERT_FILE', 'SSL_CERT_DIR',
  'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy',
]; // biome-ignore format: one glance

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/**
 * Node's own `execFile` instead of `@actions/exec`: the latter can neither bound the output nor be cancelled.
 * Never a shell; the arguments reach the program as they are.
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
          if (error === null) {
            resolve({ exitCode: 0, stdout, stderr });
          } else if (typeof error.code === 'number') {
            resolve({ exitCode: error.code, stdout, stderr });
          } else if (error.code === 'ENOENT') {
            reject(
              new UserError({
                code: 'TOOL_MISSING',
                what: `${file} is not installed on this runner`,
                why: 'it is not on PATH',
                fix: `install ${file} in a step before this one`,
              }),
            );
          } else {
            reject(error);
          }
        },
      );
    });
}
