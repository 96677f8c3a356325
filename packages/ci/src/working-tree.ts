import { realpath, stat } from 'node:fs/promises';
import { join, posix, relative } from 'node:path';
import { type Build, type Context, UserError } from '@gitless/core';

/** Committer date of HEAD as RFC 3339 in UTC, with seconds. */
export async function commitDate(context: Context, directory: string): Promise<string> {
  const seconds = await git(context, directory, ['show', '--no-patch', '--format=%ct', 'HEAD']);
  return new Date(Number(seconds.trim()) * 1000).toISOString().replace('.000Z', 'Z');
}

/**
 * The checkout must be the commit that the run is about, which artifact and provenance name as the source: another `ref` at
 * actions/checkout would make them claim what was not packed. Throws `CHECKOUT_MISMATCH`.
 */
export async function requireCommit(context: Context, build: Build, directory: string): Promise<void> {
  const head = (await git(context, directory, ['rev-parse', 'HEAD'])).trim();
  if (head !== build.sha) {
    throw new UserError({
      code: 'CHECKOUT_MISMATCH',
      what: 'the checkout is another commit than the one that this run is about',
      details: [`run ${build.sha}`, `checkout ${head}`],
      why: 'the artifact would name a commit whose files were not packed',
      fix: 'leave `ref` out at actions/checkout, or start the run on the ref that is to be shipped',
    });
  }
}

/** Files below `directory` that git tracks or would add, relative to it; what git ignores is left out (git-ls-files(1), `-z`: names come as they are). */
export async function listFiles(context: Context, directory: string): Promise<string[]> {
  const listed = await git(context, directory, [
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
    '--',
    '.',
  ]);
  return [...new Set(listed.split('\0').filter((file) => file !== ''))].sort();
}

/**
 * Files that differ from HEAD, untracked ones included, relative to `workspace`: below `directory` only, or in the whole repository that
 * holds it (git-status(1), porcelain v1 with `-z`: paths are relative to the repository's root).
 */
export async function dirtyFiles(
  context: Context,
  workspace: string,
  directory: string,
  scope: 'below' | 'repository',
): Promise<string[]> {
  const root = (await git(context, directory, ['rev-parse', '--show-toplevel'])).replace(/\n$/, '');
  const from = scope === 'below' ? directory : root;
  // git resolves links, the runner's own path to the checkout may hold one.
  const base = await realpath(workspace);
  const status = await git(context, from, [
    'status',
    '--porcelain=v1',
    '-z',
    '--no-renames',
    '--untracked-files=all',
    '--',
    '.',
  ]);
  return status
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => relative(base, join(root, entry.slice(3))))
    .sort();
}

/**
 * Refuses files that differ from HEAD unless `allowed` names them: a file, or a directory with everything below it.
 * Returns those that were allowed, to be recorded. Throws `DIRTY_TREE`.
 */
export function requireClean(dirty: readonly string[], allowed: readonly string[]): string[] {
  const isAllowed = (file: string) =>
    allowed.some((entry) => {
      const path = posix.normalize(entry).replace(/\/$/, '');
      return path === '.' || file === path || file.startsWith(`${path}/`);
    });
  const refused = dirty.filter((file) => !isAllowed(file));
  if (refused.length > 0) {
    throw new UserError({
      code: 'DIRTY_TREE',
      what: `the checkout differs from the commit that would be named as its source, in ${refused.length === 1 ? 'one file' : `${refused.length} files`}`,
      details: refused.slice(0, 50),
      why: 'the artifact claims a commit; a file that is not in it could not be traced',
      fix: 'commit them, let git ignore them, or name them under allow-dirty (they are then recorded)',
    });
  }
  return dirty.filter(isAllowed);
}

async function git(context: Context, directory: string, args: readonly string[]): Promise<string> {
  if (!(await isDirectory(directory))) {
    throw new UserError({
      code: 'PATH_MISSING',
      what: `${directory} is not a directory`,
      fix: 'correct the path, relative to the checkout, and check the repository out (actions/checkout) before this step',
    });
  }
  // The checkout may belong to another user (self-hosted runners, containers): git then wants it named as safe.
  const settings = ['safe.directory=*', 'core.quotePath=false', 'core.fsmonitor=false', 'log.showSignature=false'];
  const result = await context.exec('git', [...settings.flatMap((setting) => ['-c', setting]), ...args], {
    cwd: directory,
  });
  if (result.exitCode !== 0) {
    throw new UserError({
      code: 'NOT_A_CHECKOUT',
      what: `git ${args[0]} failed in ${directory}`,
      why: result.stderr.trim().split('\n')[0] ?? '',
      fix: 'check the repository out (actions/checkout) before this step',
    });
  }
  return result.stdout;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
