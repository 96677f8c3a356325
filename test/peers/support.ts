import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { ActionRun } from '@gitless/testkit';
import { parseAllDocuments } from 'yaml';
import type { World } from '../actions/support.ts';

/** Path → content of every file below `directory`, each path below `prefix`: a workspace made of somebody else's files. */
export async function readTree(directory: string, prefix: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = async (file: string) => [join(prefix, relative(directory, file)), await readFile(file, 'utf8')] as const;
  return Object.fromEntries(await Promise.all(files.sort().map(read)));
}

/** Standard output of a program, which must end with 0. */
export async function output(
  file: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  return (await promisify(execFile)(file, [...args], { maxBuffer: 64 * 1024 * 1024, ...options })).stdout;
}

/** A folder of its own for `use`, gone afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gitless-peers-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The environment in which a test runs helm and kustomize itself: an empty home, so nothing of the machine's. */
export function plainEnvironment(home: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: home, LANG: 'C.UTF-8', TZ: 'UTC' };
}

interface Manifest {
  /** The document as it is written, but for blank lines around it. */
  readonly text: string;
  readonly object: unknown;
}

/**
 * The documents of YAML streams as a set: by object, each with its text and its value. Cut in a simpler way than our
 * own, good for tools that write every marker on a line of its own.
 */
export function manifestsIn(streams: readonly string[]): Map<string, Manifest> {
  const manifests = new Map<string, Manifest>();
  for (const text of streams.flatMap((stream) => stream.split(/^---[ \t]*$/m))) {
    const [document] = parseAllDocuments(text);
    const object: unknown = document?.toJS();
    if (object !== undefined && object !== null) {
      const id = JSON.stringify(
        ['apiVersion', 'kind', 'metadata.namespace', 'metadata.name'].map((path) => document?.getIn(path.split('.'))),
      );
      if (manifests.has(id)) {
        throw new Error(`two documents for ${id}`);
      }
      manifests.set(id, { text: `${text.trim()}\n`, object });
    }
  }
  return manifests;
}

/** Every file below `directory` as text, for {@link manifestsIn}. */
export async function streamsIn(directory: string): Promise<string[]> {
  return Object.values(await readTree(directory, '.'));
}

/** The files of a gzipped tar below `folder`, unpacked by the machine's own tar. */
export async function unpack(archive: string, folder: string): Promise<void> {
  await output('tar', ['-xzf', archive, '-C', folder]);
}

export function sha256(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** Renders in `world` with the given PATH. */
export function render(world: World, path: string, env: Record<string, string> = {}): Promise<ActionRun> {
  return world.run('render', {}, { env: { PATH: path, ...env } });
}

/** Changes in the checkout, ignored files too; empty when an action left it as it was. */
export function changesIn(world: World): Promise<string> {
  return output('git', ['status', '--porcelain', '--ignored'], { cwd: world.workspace.dir });
}
