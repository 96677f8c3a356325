import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createWorkspace, type Workspace } from './workspace.ts';

const made: Workspace[] = [];
afterEach(async () => {
  await Promise.all(made.splice(0).map((workspace) => workspace.cleanup()));
});

async function create(...args: Parameters<typeof createWorkspace>): Promise<Workspace> {
  const workspace = await createWorkspace(...args);
  made.push(workspace);
  return workspace;
}

function git(workspace: Workspace, ...args: string[]): string {
  return execFileSync('git', args, { cwd: workspace.dir, encoding: 'utf8' }).trim();
}

describe('createWorkspace', () => {
  it('makes a clean checkout of one commit on main', async () => {
    const workspace = await create({ 'apps/web/app.yaml': 'a: 1\n', 'gitless.yaml': 'schema: 1\n' });
    expect(await readFile(join(workspace.dir, 'apps/web/app.yaml'), 'utf8')).toBe('a: 1\n');
    expect(git(workspace, 'log', '--format=%H %at %ct %D')).toBe(`${workspace.sha} 1767323045 1767323045 HEAD -> main`);
    expect(git(workspace, 'status', '--porcelain')).toBe('');
  });

  it('gives the same commit for the same files and date, another for others', async () => {
    const [first, second, other] = [
      await create({ a: '1' }),
      await create({ a: '1' }),
      await create({ a: '1' }, { date: '2026-02-02T00:00:00Z' }),
    ];
    expect(second.sha).toBe(first.sha);
    expect(other.sha).not.toBe(first.sha);
  });
});
