import { readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UserError } from '@gitless/core';

/** Whether `path` is `root` or lies below it; both absolute and free of symbolic links. */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/**
 * The real path of something that must exist inside `root`, symbolic links followed.
 * Throws `PATH_ESCAPES` when it lies outside, `missing` when it is absent.
 */
export async function requireInside(root: string, path: string, missing: () => UserError): Promise<string> {
  const realRoot = await realpath(root);
  if (!isInside(root, path) && !isInside(realRoot, path)) {
    throw pathEscapes(root, path);
  }
  let real: string;
  try {
    real = await realpath(path);
  } catch {
    throw missing();
  }
  if (!isInside(realRoot, real)) {
    throw pathEscapes(root, path);
  }
  return real;
}

export function pathEscapes(root: string, path: string): UserError {
  return new UserError({
    code: 'PATH_ESCAPES',
    what: `${relative(root, path) || path} leads out of its root`,
    why: 'what is shipped must come from the checkout that the build names',
    fix: 'keep the file inside the repository, and link to it by a relative path',
  });
}

/**
 * The absolute path of a component's directory. Throws `PATH_MISSING` when it is not one, `PATH_ESCAPES` when it or what it links to
 * lies outside the checkout.
 */
export async function requireDirectory(workspace: string, path: string): Promise<string> {
  const directory = resolve(workspace, path);
  const missing = () =>
    new UserError({
      code: 'PATH_MISSING',
      what: `${relative(workspace, directory) || path} is not a directory of the checkout`,
      fix: 'correct the path, relative to the checkout, and check the repository out (actions/checkout) before this step',
    });
  const real = await requireInside(workspace, directory, missing);
  if (!(await isDirectory(real))) {
    throw missing();
  }
  return directory;
}

export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/** Names of the folders in `directory`, sorted, hidden ones left out; none when it does not exist. */
export async function subdirectories(directory: string): Promise<string[]> {
  if (!(await isDirectory(directory))) {
    return [];
  }
  const names = (await readdir(directory)).filter((name) => !name.startsWith('.')).sort();
  const kept = await Promise.all(names.map((name) => isDirectory(join(directory, name))));
  return names.filter((_, index) => kept[index]);
}
