import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';

const SOURCES_DIRECTORY = join(import.meta.dirname, 'sources');

/** For every `go` here: the pins are law, no other toolchain is fetched, nothing of the machine's C compiler gets in. */
export function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local', GOWORK: 'off', CGO_ENABLED: '0' };
}

/** The version that the go.mod in `folder` builds with, such as `v4.2.4`. */
export function goModuleVersion(folder: string, module: string): Promise<string> {
  return go(folder, ['list', '-m', '-f', '{{.Version}}', module]);
}

/**
 * Folder with the files of a module that the go.mod in `folder` names (unless given `sources/`): upstream's own charts
 * and kustomizations, real input that is read from Go's module cache and never copied into this repository. Fetched when
 * it is not there, checked by go.sum.
 */
export async function sourceDirectory(module: string, folder: string = SOURCES_DIRECTORY): Promise<string> {
  const output = await go(folder, ['mod', 'download', '-json', module]);
  return v.parse(v.object({ Dir: v.string() }), JSON.parse(output)).Dir;
}

/** What to say when `go` cannot be started. */
export function missingGo(error: unknown): Error {
  return new Error('the peers are built from source and Go cannot be started: install Go and put it on PATH', {
    cause: error,
  });
}

async function go(cwd: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('go', args, { cwd, env: goEnvironment() });
    return stdout.trim();
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'ENOENT' ? missingGo(error) : error;
  }
}
