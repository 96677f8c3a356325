import { UserError } from '@gitless/core';
import { pathProblem, showPath } from './path-rules.ts';

/** A regular file of an artifact. `path` is relative, with `/` between segments. */
export interface TreeFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly executable: boolean;
}

/** What an artifact's archive may hold, and nothing else. The root directory has the path `.`. */
export type TarEntry = { readonly type: 'directory'; readonly path: string } | ({ readonly type: 'file' } & TreeFile);

/** The path of an archive's first entry. */
export const ROOT = '.';

/**
 * The entries of an archive of `files`: the root, then each directory before what it holds, children in the byte order
 * of their names, as Go's `filepath.WalkDir` visits them (fluxcd/pkg `tar/tar.go`).
 * Throws `TREE_REFUSED`, naming all, when a path breaks the rules, comes twice, or is a file and a directory.
 */
export function treeEntries(files: readonly TreeFile[]): TarEntry[] {
  const problems = [];
  const byPath = new Map<string, TarEntry>();
  for (const file of files) {
    const problem = pathProblem(file.path) ?? (byPath.has(file.path) ? 'comes twice' : undefined);
    if (problem !== undefined) {
      problems.push(`${showPath(file.path)} ${problem}`);
      continue;
    }
    byPath.set(file.path, { type: 'file', path: file.path, content: file.content, executable: file.executable });
  }
  for (const file of files) {
    for (const directory of parents(file.path)) {
      const known = byPath.get(directory);
      if (known?.type === 'directory') {
        break;
      }
      if (known?.type === 'file') {
        problems.push(`${showPath(directory)} is a file and a directory`);
        break;
      }
      byPath.set(directory, { type: 'directory', path: directory });
    }
  }
  if (problems.length > 0) {
    throw treeRefused(problems);
  }
  return [{ type: 'directory', path: ROOT }, ...walkOrder([...byPath.values()])];
}

/** The files among `entries`. */
export function treeFiles(entries: readonly TarEntry[]): TreeFile[] {
  return entries
    .filter((entry) => entry.type === 'file')
    .map(({ path, content, executable }) => ({ path, content, executable }));
}

/** Sorted as `filepath.WalkDir` visits them; stable on any machine and locale. */
export function walkOrder<T extends { readonly path: string }>(items: readonly T[]): T[] {
  // NUL sorts before every byte of a name: a directory's content then follows it before its longer-named siblings.
  return items
    .map((item) => ({ item, key: Buffer.from(item.path.replaceAll('/', '\0')) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ item }) => item);
}

/** The directories above `path`, nearest first, without the root. */
export function* parents(path: string): Generator<string> {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    yield path.slice(0, end);
  }
}

export function treeRefused(problems: readonly string[]): UserError {
  return new UserError({
    code: 'TREE_REFUSED',
    what: `${problems.length === 1 ? 'one entry' : `${problems.length} entries`} cannot be packed`,
    why: 'an artifact holds regular files and directories whose names every reader can extract; anything else would vanish or differ in the cluster',
    fix: 'rename or remove what is listed; replace a link by what it points to',
    details: problems,
  });
}
