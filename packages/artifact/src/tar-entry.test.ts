import { UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { treeEntries } from './tar-entry.ts';

function entriesOf(...paths: string[]) {
  return treeEntries(paths.map((path) => ({ path, content: new Uint8Array(), executable: false })));
}

function problemsOf(...paths: string[]): readonly string[] | undefined {
  try {
    entriesOf(...paths);
  } catch (error) {
    return error instanceof UserError && error.code === 'TREE_REFUSED' ? error.problem.details : undefined;
  }
  return [];
}

describe('treeEntries', () => {
  it('puts the root first and each directory before its content, children in byte order', () => {
    expect(entriesOf('b/x', 'a.txt', 'a/z', 'a/b/c').map(({ type, path }) => `${type} ${path}`)).toEqual([
      'directory .',
      'directory a',
      'directory a/b',
      'file a/b/c',
      'file a/z',
      'file a.txt',
      'directory b',
      'file b/x',
    ]);
  });

  it.each([
    ['', 'is empty'],
    ['/etc/passwd', 'is absolute'],
    ['a/../b', '"../"'],
    ['a/b../c', '"../"'],
    ['..', 'segment'],
    ['a//b', 'segment'],
    ['./a', 'segment'],
    ['a/', 'segment'],
    ['a\\b', 'backslash'],
    ['a\nb', 'control character'],
    ['a\u009bb', 'control character'],
    ['a\ud800', 'UTF-8'],
    ['x'.repeat(241), 'longer than 240 bytes'],
    ['é'.repeat(121), 'longer than 240 bytes'],
    [Array.from({ length: 300 }, () => 'abc').join('/'), 'longer than 1024 bytes'],
  ])('refuses %j', (path, problem) => {
    expect(problemsOf(path)).toEqual([expect.stringContaining(problem)]);
  });

  it('names everything at fault in one error', () => {
    expect(problemsOf('a', 'a', 'a/b', 'c\\d')).toEqual([
      '"a" comes twice',
      '"c\\\\d" has a backslash',
      '"a" is a file and a directory',
    ]);
  });

  it('never lets a path forge a line of the log', () => {
    expect(problemsOf('a\n::error::forged\u009b')?.join()).not.toMatch(/\p{Cc}/u);
  });
});
