import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFileCommands } from './file-commands.ts';

describe('file commands', () => {
  it('read back any value between delimiters', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/);
    const value = fc.string({ unit: 'binary' }).filter((text) => !text.split('\n').includes('ghadelimiter'));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
        const text = pairs.map(([key, content]) => `${key}<<ghadelimiter\n${content}\nghadelimiter\n`).join('');
        expect(parseFileCommands(text)).toEqual(new Map(pairs));
      }),
    );
  });

  it('split a line at whichever separator comes first', () => {
    const text = 'a=b<<c\n\nd<<e=f\nline 1\n\n  line 3\ne=f\ng=\na=last';
    expect([...parseFileCommands(text)]).toEqual([
      ['a', 'last'],
      ['d', 'line 1\n\n  line 3'],
      ['g', ''],
    ]);
  });

  it.each(['text', '=value', '<<EOF\nx\nEOF', 'name<<\nx\n', 'name<<EOF\nx\n'])('refuse %j', (text) => {
    expect(() => parseFileCommands(text)).toThrow(/^Invalid/);
  });
});
