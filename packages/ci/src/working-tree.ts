import { relative, resolve } from 'node:path';
import { type Context, UserError } from '@gitless/core';

export interface WorkingTree {
  /** Files below the directory that git tracks or would add, relative to the workspace; ignored ones are left out. */
  readonly files: readonly string[];
  /** Those of them that differ from HEAD, untracked ones included. */
  readonly dirty: readonly string[];
}

/** Committer date of HEAD as RFC 3339 in UTC, with seconds. */
export async function commitDate(context: Context, workspace: string): Promise<string> {
  const out = await git(context, workspace, ['show', '--no-patch', '--format=%ct', 'HEAD']);
  return new Date(Number(out.trim()) * 1000).toISOString().replace('.000Z', 'Z');
}

/** What git knows below `directory` (git-ls-files(1), git-status(1) porcelain v1 with `-z`: names come as they are). */
export async function readWorkingTree(context: Context, workspace: string, directory: string): Promise<WorkingTree> {
  const path = relative(workspace, resolve(workspace, directory)) || '.';
  const [listed, status] = await Promise.all([
    git(context, workspace, ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', path]),
    git(context, workspace, ['status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=all', '--', path]),
  ]);
  const dirty = status
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => entry.slice(3));
  return { files: [...new Set(listed.split('\0').filter((file) => file !== ''))].sort(), dirty };
}

/**
 * Refuses files that differ from HEAD unless `allowed` names them: a file, or a directory with everything below it.
 * Returns those that were allowed, to be recorded. Throws `DIRTY_TREE`.
 */
export function requireClean(dirty: readonly string[], allowed: readonly string[]): string[] {
  const isAllowed = (file: string) =>
    allowed.some((entry) => {
      const path = entry.replace(/^\.\//, '').replace(/\/+$/, '');
      return path === '.' || file === path || file.startsWith(`${path}/`);
    });
  const refused = dirty.filter((file) => !isAllowed(file));
  if (refused.length > 0) {
    throw new UserError({
      code: 'DIRTY_TREE',
      what: `${refused.length} file(s) differ from the commit that would be named as their source`,
      details: refused.slice(0, 50),
      why: 'the artifact claims a commit; a file that is not in it could not be traced',
      fix: 'commit them, let git ignore them, or name them under allow-dirty (they are then recorded)',
    });
  }
  return dirty.filter(isAllowed);
}

async function git(context: Context, workspace: string, args: readonly string[]): Promise<string> {
  // The checkout may belong to another user (self-hosted runners, containers): git then wants it named as safe.
  const result = await context.exec(
    'git',
    ['-c', `safe.directory=${workspace}`, '-c', 'core.quotePath=false', '-c', 'core.fsmonitor=false', ...args],
    {
      cwd: workspace,
    },
  );
  if (result.exitCode !== 0) {
    throw new UserError({
      code: 'NOT_A_CHECKOUT',
      what: `git ${args[0]} failed in the workspace`,
      why: result.stderr.trim().split('\n')[0] ?? '',
      fix: 'check the repository out (actions/checkout) before this step',
    });
  }
  return result.stdout;
}
