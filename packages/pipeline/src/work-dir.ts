import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissingFile } from '@gitless/core';

/** Where the steps of one job leave their results for each other (design §4b). */
export interface WorkDir {
  readonly root: string;
  readonly rendered: string;
  readonly renderTar: string;
  readonly layout: string;
  readonly statements: string;
  readonly records: string;
  readonly result: (step: string) => string;
}

export function workDir(root: string): WorkDir {
  return {
    root,
    rendered: join(root, 'rendered'),
    renderTar: join(root, 'render.tar'),
    layout: join(root, 'layout'),
    statements: join(root, 'statements'),
    records: join(root, 'records'),
    result: (step) => join(root, 'result', `${step}.json`),
  };
}

/** Writes a file beside its place and renames it: a reader sees the former content or the new one, never a part. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = await mkdtemp(join(dirname(path), '.new-'));
  try {
    const temporary = join(beside, 'content');
    await writeFile(temporary, content, { mode: 0o644 });
    await rename(temporary, path);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/**
 * Builds a folder beside its place and switches names, so that an interrupted step leaves the former state readable.
 * Between the two renames the folder is absent for a moment; the step's result, written last, is what makes it count.
 */
export async function replaceDirectory(path: string, build: (directory: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = await mkdtemp(join(dirname(path), '.new-'));
  try {
    const fresh = join(beside, 'fresh');
    await mkdir(fresh);
    await build(fresh);
    const former = join(beside, 'former');
    await rename(path, former).catch(ignoreMissing);
    try {
      await rename(fresh, path);
    } catch (error) {
      await rename(former, path).catch(ignoreMissing);
      throw error;
    }
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

function ignoreMissing(error: unknown): void {
  if (!isMissingFile(error)) {
    throw error;
  }
}
