import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export interface Workspace {
  readonly dir: string;
  /** The only commit, on `main`: the same for the same files and date. */
  readonly sha: string;
  cleanup(): Promise<void>;
}

export interface WorkspaceOptions {
  /** Author and committer date; 2026-01-02T03:04:05Z when absent. */
  readonly date?: string;
}

/** A temporary checkout as actions/checkout leaves it: `files` (path → content) in one commit, nothing of the machine's git configuration. */
export async function createWorkspace(
  files: Readonly<Record<string, string>>,
  options: WorkspaceOptions = {},
): Promise<Workspace> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'workspace-')));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
  const date = options.date ?? '2026-01-02T03:04:05Z';
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    TZ: 'UTC',
    LC_ALL: 'C',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Octo Cat',
    GIT_AUTHOR_EMAIL: 'octocat@example.com',
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: 'Octo Cat',
    GIT_COMMITTER_EMAIL: 'octocat@example.com',
    GIT_COMMITTER_DATE: date,
  };
  const git = async (...args: string[]) => (await promisify(execFile)('git', args, { cwd: dir, env })).stdout.trim();
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  await git('commit', '--quiet', '--allow-empty', '--message=Change');
  const sha = await git('rev-parse', 'HEAD');
  return { dir, sha, cleanup: () => rm(dir, { recursive: true, force: true }) };
}
