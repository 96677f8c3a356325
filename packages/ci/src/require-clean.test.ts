import { describe, expect, it } from 'vitest';
import { requireClean } from './working-tree.ts';

describe('requireClean', () => {
  it.each([
    [[], [], []],
    [['a'], ['a'], ['a']],
    [['a/b', 'a/c/d'], ['a'], ['a/b', 'a/c/d']],
    [['a/b'], ['./a/'], ['a/b']],
    [['a/b', 'c'], ['.'], ['a/b', 'c']],
    [['a/b', 'c'], ['./'], ['a/b', 'c']],
    [
      ['a/b', 'c'],
      ['c', 'a/b', 'unused'],
      ['a/b', 'c'],
    ],
  ])('takes %j when %j may differ, and returns them to be recorded', (dirty, allowed, recorded) => {
    expect(requireClean(dirty, allowed)).toEqual(recorded);
  });

  it.each([
    [['a'], []],
    [['ab'], ['a']],
    [['a/b'], ['b']],
    [['a/b'], ['a/b/c']],
    [['a/b'], ['*']],
    [['a/b'], ['/']],
    [['a/b'], ['..']],
    [['A'], ['a']],
  ])('refuses %j when %j may differ', (dirty, allowed) => {
    expect(() => requireClean([...dirty, 'fine'], [...allowed, 'fine'])).toThrow(
      expect.objectContaining({ code: 'DIRTY_TREE', problem: expect.objectContaining({ details: dirty }) }),
    );
  });
});
