import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Context, createHttpClient, DEFAULT_HTTP_SETTINGS, silentLogger } from '@gitless/core';
import { createWorkspace, githubEnvironment, type Workspace } from '@gitless/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { createExec } from './exec.ts';
import { readBuild } from './github.ts';
import { commitDate, dirtyFiles, listFiles, requireCommit } from './working-tree.ts';

const signal = new AbortController().signal;
const sleep = async () => undefined;
const context: Context = {
  env: {},
  log: silentLogger,
  http: createHttpClient(DEFAULT_HTTP_SETTINGS, { log: silentLogger, sleep, signal }),
  exec: createExec({ PATH: process.env['PATH'] }, signal),
  now: () => new Date(),
  sleep,
  signal,
  mask: () => undefined,
};

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
});

async function checkout(files: Record<string, string>, date?: string): Promise<Workspace> {
  const workspace = await createWorkspace(files, date === undefined ? {} : { date });
  cleanups.push(workspace.cleanup);
  return workspace;
}

async function directory(): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'tree-')));
  cleanups.push(() => rm(dir, { recursive: true }));
  return dir;
}

async function write(dir: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
}

const git = (dir: string, ...args: string[]) => promisify(execFile)('git', args, { cwd: dir });

/** The last commit with a signature, over which `git show` may have something to say. */
async function signedCommit(dir: string): Promise<string> {
  const { stdout } = await git(dir, 'cat-file', 'commit', 'HEAD');
  const signature = 'gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----';
  return stdout.replace('\n\n', `\n${signature}\n\n`);
}

/** Names that git quotes unless told otherwise. */
const WEIRD = [
  'a b.yaml',
  ' lead',
  '"quoted".yaml',
  'tab\there',
  'new\nline.yaml',
  'ünï→.yaml',
  '-n',
  'back\\slash',
  '*',
  'R  x -> y',
];

describe('requireCommit', () => {
  const build = readBuild(githubEnvironment());

  it('takes the commit that the run is about', async () => {
    const { dir, sha } = await checkout({ 'a.yaml': 'a: 1' });
    await expect(requireCommit(context, { ...build, sha }, dir)).resolves.toBeUndefined();
  });

  it('refuses another commit and names both', async () => {
    const { dir, sha } = await checkout({ 'a.yaml': 'a: 1' });
    await expect(requireCommit(context, { ...build, sha: 'f'.repeat(40) }, dir)).rejects.toMatchObject({
      problem: { code: 'CHECKOUT_MISMATCH', details: [`run ${'f'.repeat(40)}`, `checkout ${sha}`] },
    });
  });
});

describe('commitDate', () => {
  it.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05+05:00', '2026-01-01T22:04:05Z'],
  ])('is the committer date in UTC: %s', async (date, expected) => {
    const { dir } = await checkout({ 'a/b.yaml': '' }, date);
    expect(await commitDate(context, dir)).toBe(expected);
    expect(await commitDate(context, join(dir, 'a'))).toBe(expected);
  });

  it('is not led astray by what the repository’s configuration makes git print', async () => {
    const { dir } = await checkout({ a: '' });
    await git(dir, 'config', 'log.showSignature', 'true');
    await write(dir, { signed: await signedCommit(dir) });
    await git(dir, 'reset', '--soft', (await git(dir, 'hash-object', '-t', 'commit', '-w', 'signed')).stdout.trim());
    await git(dir, 'config', 'color.ui', 'always');
    await git(dir, 'config', 'log.date', 'relative');
    expect(await commitDate(context, dir)).toBe('2026-01-02T03:04:05Z');
  });

  it('refuses a directory without commit, one that is no checkout, and what is no directory', async () => {
    const dir = await directory();
    await expect(commitDate(context, dir)).rejects.toMatchObject({
      code: 'NOT_A_CHECKOUT',
      problem: { why: expect.stringContaining('not a git repository') },
    });
    await git(dir, 'init', '--quiet');
    await expect(commitDate(context, dir)).rejects.toMatchObject({ code: 'NOT_A_CHECKOUT' });
    await expect(commitDate(context, join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'PATH_MISSING' });
    await write(dir, { file: '' });
    await expect(commitDate(context, join(dir, 'file'))).rejects.toMatchObject({ code: 'PATH_MISSING' });
  });
});

describe('listFiles', () => {
  it('lists what is tracked or would be, relative to the directory, without what is ignored', async () => {
    const { dir } = await checkout({
      '.gitignore': 'out/\n*.log\n',
      'apps/web/a.yaml': '',
      'apps/web/sub/b.yaml': '',
      'apps/api/c.yaml': '',
      'apps/web/.hidden': '',
    });
    await write(dir, { 'apps/web/new.yaml': '', 'apps/web/out/x': '', 'apps/web/y.log': '' });
    expect(await listFiles(context, join(dir, 'apps/web'))).toEqual(['.hidden', 'a.yaml', 'new.yaml', 'sub/b.yaml']);
    expect(await listFiles(context, dir)).toContain('apps/api/c.yaml');
  });

  it('gives names as they are', async () => {
    const { dir } = await checkout(Object.fromEntries(WEIRD.map((name) => [`d/${name}`, 'x'])));
    expect(await listFiles(context, join(dir, 'd'))).toEqual([...WEIRD].sort());
  });

  it('lists each file once, also during a merge', async () => {
    const { dir } = await checkout({ a: '1' });
    const user = ['-c', 'user.name=x', '-c', 'user.email=x@example.com'];
    await git(dir, 'checkout', '--quiet', '-b', 'other');
    await write(dir, { a: '2' });
    await git(dir, ...user, 'commit', '--quiet', '-am', 'two');
    await git(dir, 'checkout', '--quiet', 'main');
    await write(dir, { a: '3' });
    await git(dir, ...user, 'commit', '--quiet', '-am', 'three');
    await expect(git(dir, ...user, 'merge', 'other')).rejects.toThrow();
    expect(await listFiles(context, dir)).toEqual(['a']);
    expect(await dirtyFiles(context, dir, dir, 'repository')).toEqual(['a']);
  });
});

describe('dirtyFiles', () => {
  it('names nothing in a fresh checkout', async () => {
    const { dir } = await checkout({ 'a/b': 'x' });
    expect(await dirtyFiles(context, dir, join(dir, 'a'), 'below')).toEqual([]);
    expect(await dirtyFiles(context, dir, dir, 'repository')).toEqual([]);
  });

  it('names what is changed, staged, deleted, renamed, untracked or of another mode; not what is ignored', async () => {
    const { dir } = await checkout({
      '.gitignore': 'ignored\n',
      same: '1',
      changed: '1',
      staged: '1',
      deleted: '1',
      'old name': 'long enough to be seen as the same file',
      script: '#!/bin/sh',
      link: 'x',
    });
    await write(dir, { changed: '2', staged: '2', 'new/one': '', 'new/two': '', ignored: '', added: '' });
    await rm(join(dir, 'deleted'));
    await git(dir, 'add', 'staged', 'added');
    await git(dir, 'mv', 'old name', 'new name');
    await git(dir, 'update-index', '--chmod=+x', 'script');
    await rm(join(dir, 'link'));
    await symlink('same', join(dir, 'link'));
    const all = [
      'added',
      'changed',
      'deleted',
      'link',
      'new name',
      'new/one',
      'new/two',
      'old name',
      'script',
      'staged',
    ];
    expect(await dirtyFiles(context, dir, dir, 'repository')).toEqual(all);
  });

  it('hides no untracked file because the repository’s configuration says so', async () => {
    const { dir } = await checkout({ a: '' });
    await git(dir, 'config', 'status.showUntrackedFiles', 'no');
    await git(dir, 'config', 'status.relativePaths', 'true');
    await git(dir, 'config', 'status.renames', 'copies');
    await write(dir, { 'd/new': '' });
    expect(await dirtyFiles(context, dir, join(dir, 'd'), 'below')).toEqual(['d/new']);
  });

  it('keeps to the directory or takes the whole repository, always relative to the workspace', async () => {
    const { dir } = await checkout({ 'web/a': '', 'api/b': '', 'web-2/c': '' });
    await write(dir, { 'web/a': '1', 'api/b': '1', 'web-2/c': '1', top: '' });
    expect(await dirtyFiles(context, dir, join(dir, 'web'), 'below')).toEqual(['web/a']);
    expect(await dirtyFiles(context, dir, join(dir, 'web'), 'repository')).toEqual([
      'api/b',
      'top',
      'web-2/c',
      'web/a',
    ]);
  });

  it('works where the checkout is a subdirectory of the workspace (actions/checkout `path`)', async () => {
    const workspace = await directory();
    const { dir } = await checkout({ 'apps/web/a': '' });
    await rename(dir, join(workspace, 'config'));
    await write(workspace, { 'config/apps/web/a': '1', 'config/b': '', outside: '' });
    const web = join(workspace, 'config/apps/web');
    expect(await dirtyFiles(context, workspace, web, 'below')).toEqual(['config/apps/web/a']);
    expect(await dirtyFiles(context, workspace, web, 'repository')).toEqual(['config/apps/web/a', 'config/b']);
    expect(await listFiles(context, web)).toEqual(['a']);
  });

  it('works where the path to the workspace holds a link, as on a runner with its work folder elsewhere', async () => {
    const { dir } = await checkout({ 'web/a': '' });
    await write(dir, { 'web/a': '1' });
    const link = join(await directory(), 'work');
    await symlink(dir, link);
    expect(await dirtyFiles(context, link, join(link, 'web'), 'below')).toEqual(['web/a']);
    expect(await dirtyFiles(context, link, join(link, 'web'), 'repository')).toEqual(['web/a']);
  });

  it('gives names as they are, tracked and untracked', async () => {
    const { dir } = await checkout(Object.fromEntries(WEIRD.map((name) => [`tracked/${name}`, '1'])));
    await write(dir, Object.fromEntries(WEIRD.map((name) => [`tracked/${name}`, '2'])));
    await write(dir, Object.fromEntries(WEIRD.map((name) => [`untracked/${name}`, '2'])));
    const expected = WEIRD.flatMap((name) => [`tracked/${name}`, `untracked/${name}`]).sort();
    expect(await dirtyFiles(context, dir, dir, 'repository')).toEqual(expected);
  });

  it('works in a folder with line breaks in its name', async () => {
    const dir = join(await directory(), 'a\nb\n');
    await mkdir(dir);
    await git(dir, 'init', '--quiet');
    await write(dir, { file: '' });
    expect(await dirtyFiles(context, dir, dir, 'repository')).toEqual(['file']);
  });
});
