import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { UserError } from '@gitless/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTree } from './tree.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tree-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(path: string, text = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

async function failure(directory = root): Promise<UserError['problem'] | undefined> {
  try {
    await readTree(directory);
  } catch (error) {
    return error instanceof UserError ? error.problem : undefined;
  }
  return undefined;
}

describe('readTree', () => {
  it('reads regular files in archive order, hidden ones too, with their executable bit', async () => {
    write('b.yaml', 'b');
    write('a/z.yaml', 'z');
    write('a.yaml', 'a');
    write('.hidden/x', 'x');
    write('run.sh');
    chmodSync(join(root, 'run.sh'), 0o700);
    const files = await readTree(root);
    expect(files.map(({ path, content, executable }) => [path, Buffer.from(content).toString(), executable])).toEqual([
      ['.hidden/x', 'x', false],
      ['a/z.yaml', 'z', false],
      ['a.yaml', 'a', false],
      ['b.yaml', 'b', false],
      ['run.sh', '', true],
    ]);
  });

  it('leaves out .git, directory or file, at any level', async () => {
    write('.git/config');
    write('sub/.git', 'gitdir: ../.git/modules/sub');
    write('sub/a.yaml');
    expect((await readTree(root)).map(({ path }) => path)).toEqual(['sub/a.yaml']);
  });

  it('refuses everything that is not a regular file or has a bad name, all in one error', async () => {
    write('ok.yaml');
    symlinkSync('/etc/passwd', join(root, 'link'));
    symlinkSync('/etc', join(root, 'linked-directory'));
    symlinkSync('/nowhere', join(root, 'dangling'));
    execFileSync('/usr/bin/env', ['mkfifo', join(root, 'fifo')]);
    write('a\nb');
    write('back\\slash');
    write('dots../c');
    write('x'.repeat(241));
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), '');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve));
    const problem = await failure();
    server.close();
    expect(problem?.code).toBe('TREE_REFUSED');
    expect(problem?.details).toEqual([
      '"a\\nb" has a control character',
      '"back\\\\slash" has a backslash',
      '"dangling" is a symbolic link',
      '"dots../c" has "../", which Flux refuses wherever it stands',
      '"fifo" is a FIFO',
      '"link" is a symbolic link',
      '"linked-directory" is a symbolic link',
      '"socket" is a socket',
      expect.stringMatching(/^"x{199}… has a name longer than 240 bytes$/),
      '"\ufffd\ufffd" is not UTF-8',
    ]);
  });

  it('refuses a root that is a link: it could lead out of the checkout', async () => {
    write('real/a.yaml');
    symlinkSync('real', join(root, 'alias'));
    expect((await failure(join(root, 'alias')))?.code).toBe('TREE_REFUSED');
  });

  it('refuses more than 512 MiB before it reads them', async () => {
    write('big');
    truncateSync(join(root, 'big'), 512 * 1024 * 1024 + 1);
    expect((await failure())?.details).toEqual(['the files have more than 536870912 bytes']);
  });

  it('says which directory is missing', async () => {
    const problem = await failure(join(root, 'missing'));
    expect(problem?.code).toBe('TREE_UNREADABLE');
    expect(problem?.what).toContain('missing');
  });
});
