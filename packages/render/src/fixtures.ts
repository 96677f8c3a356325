import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Context, type ExecOptions, type ExecResult, silentLogger, UserError } from '@gitless/core';

const folders: string[] = [];

/** A temporary folder with `files`; a test file that asks for one removes all with `afterAll(removeFolders)`. */
export async function folder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'render-')));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

export async function removeFolders(): Promise<void> {
  await Promise.all(folders.splice(0).map((root) => rm(root, { recursive: true })));
}

/** Stand-ins for tools on a PATH of their own: only their presence and digest matter, `answer` says what they print. */
export async function toolbox(...names: readonly string[]): Promise<string> {
  const bin = await folder(Object.fromEntries(names.map((name) => [name, `${name}\n`])));
  await Promise.all(names.map((name) => chmod(join(bin, name), 0o755)));
  return bin;
}

export interface Call {
  /** Base name of the program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly options: ExecOptions | undefined;
}

export type Answer = (call: Call) => string | Partial<ExecResult> | Promise<string | Partial<ExecResult>>;

/** A context whose `exec` records each call and answers in the tools' place. */
export function recordingContext(
  path: string,
  answer: Answer,
): { context: Context; calls: Call[]; warnings: string[] } {
  const calls: Call[] = [];
  const warnings: string[] = [];
  const context: Context = {
    env: { PATH: path },
    log: { ...silentLogger, warning: (message) => warnings.push(message) },
    http: { send: () => Promise.reject(new Error('rendering asks no server')) },
    exec: async (file, args, options) => {
      const call = { program: file.slice(file.lastIndexOf('/') + 1), args, options };
      calls.push(call);
      const result = await answer(call);
      return { exitCode: 0, stdout: '', stderr: '', ...(typeof result === 'string' ? { stdout: result } : result) };
    },
    now: () => new Date(0),
    sleep: () => Promise.resolve(),
    signal: new AbortController().signal,
    mask: () => undefined,
  };
  return { context, calls, warnings };
}

/** The problem that `work` fails with. */
export async function problemOf(work: () => unknown): Promise<UserError['problem']> {
  try {
    await work();
  } catch (error) {
    if (error instanceof UserError) {
      return error.problem;
    }
    throw error;
  }
  throw new Error('nothing was thrown');
}
