import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from './nearest.ts';

describe('nearest', () => {
  it('finds a word in which one letter is missing, added, changed, or two are swapped', () => {
    expect(nearest('chanels', ['channels', 'components'])).toBe('channels');
    expect(nearest('channnels', ['channels', 'components'])).toBe('channels');
    expect(nearest('chamnels', ['channels', 'components'])).toBe('channels');
    expect(nearest('cahnnels', ['channels', 'components'])).toBe('channels');
    expect(nearest('environment', ['channels', 'components'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });

  it('prefers the word itself, and is symmetric', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 6 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(nearest(a, [`${a}a`, b, a])).toBe(a);
        expect(nearest(a, [b]) !== undefined).toBe(nearest(b, [a]) !== undefined);
      }),
    );
  });
});
