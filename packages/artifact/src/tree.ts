import { constants, type Dirent } from 'node:fs';
import { lstat, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { allBounded, errorMessage, UserError } from '@gitless/core';
import { pathProblem, showPath } from './path-rules.ts';
import { type TreeFile, treeRefused, walkOrder } from './tar-entry.ts';

const MAX_FILES = 50_000;
const MAX_BYTES = 512 * 1024 * 1024;
const PARALLEL_READS = 16;

/**
 * The regular files below `directory` that `isIncluded` (by relative path) takes, in the order of an archive. `.git` is
 * left out, empty directories are too.
 * Links are never followed, neither `directory` itself nor what replaces a file while it is read; directories above
 * `directory` are the caller's to check.
 *
 * Throws `TREE_REFUSED`, naming all, for anything but regular files and directories with plain names, and for more than
 * 50,000 files or 512 MiB; `TREE_UNREADABLE` when the file system refuses.
 */
export async function readTree(
  directory: string,
  isIncluded: (path: string) => boolean = () => true,
): Promise<TreeFile[]> {
  try {
    if (!(await lstat(directory)).isDirectory()) {
      throw treeRefused([`${showPath(directory)} is not a directory`]);
    }
    const paths = await findFiles(directory, isIncluded);
    let total = 0;
    const count = (size: number) => {
      if (total + size > MAX_BYTES) {
        throw treeRefused([`the files have more than ${MAX_BYTES} bytes`]);
      }
      total += size;
    };
    const files = await allBounded(paths, PARALLEL_READS, new AbortController().signal, (path) =>
      readRegularFile(directory, path, count),
    );
    return walkOrder(files);
  } catch (error) {
    throw error instanceof UserError ? error : unreadable(directory, error);
  }
}

async function findFiles(directory: string, isIncluded: (path: string) => boolean): Promise<string[]> {
  const paths: string[] = [];
  const problems: string[] = [];
  for await (const { path, entry } of walk(directory, '', problems)) {
    if (!isIncluded(path)) {
      continue;
    }
    if (!entry.isFile()) {
      problems.push(`${showPath(path)} is ${kindOf(entry)}`);
    } else if (paths.length === MAX_FILES) {
      throw treeRefused([`there are more than ${MAX_FILES} files`]);
    } else {
      paths.push(path);
    }
  }
  if (problems.length > 0) {
    throw treeRefused(problems.sort());
  }
  return paths;
}

/** Everything but directories below `root`; names that cannot be represented go to `problems` and are not entered. */
async function* walk(
  root: string,
  below: string,
  problems: string[],
): AsyncGenerator<{ readonly path: string; readonly entry: Dirent }> {
  for await (const entry of await opendir(join(root, below))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    const problem = pathProblem(path);
    if (entry.name === '.git') {
      continue;
    }
    if (problem !== undefined) {
      problems.push(`${showPath(path)} ${problem}`);
    } else if (entry.isDirectory()) {
      yield* walk(root, path, problems);
    } else {
      yield { path, entry };
    }
  }
}

async function readRegularFile(root: string, path: string, count: (size: number) => void): Promise<TreeFile> {
  // O_NONBLOCK: opening a FIFO that took the file's place would otherwise wait for a writer.
  const handle = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) {
      throw treeRefused([`${showPath(path)} is no longer a regular file`]);
    }
    count(stat.size);
    return { path, content: await handle.readFile(), executable: (stat.mode & constants.S_IXUSR) !== 0 };
  } finally {
    await handle.close();
  }
}

function kindOf(entry: Dirent): string {
  if (entry.isSymbolicLink()) {
    return 'a symbolic link';
  }
  if (entry.isSocket()) {
    return 'a socket';
  }
  return entry.isFIFO() ? 'a FIFO' : 'a device';
}

function unreadable(directory: string, error: unknown): UserError {
  return new UserError({
    code: 'TREE_UNREADABLE',
    what: `the files below ${showPath(directory)} cannot be read`,
    why: errorMessage(error),
    fix: 'check that the path is right, relative to the workspace, and readable by this job',
  });
}
