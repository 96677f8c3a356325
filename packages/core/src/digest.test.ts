import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexOf, isDigest, parseDigest, sha256 } from './digest.ts';

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('digest', () => {
  it('is that of the bytes, a text being UTF-8', () => {
    expect(sha256('')).toBe(EMPTY);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const hex = createHash('sha256').update(Buffer.from(text, 'utf8')).digest('hex');
        expect(sha256(text)).toBe(`sha256:${hex}`);
        expect(hexOf(sha256(Buffer.from(text)))).toBe(hex);
        expect(parseDigest('x', sha256(text))).toBe(sha256(text));
      }),
    );
  });

  it.each([
    '',
    'sha256:',
    EMPTY.slice(0, -1),
    `${EMPTY}0`,
    `${EMPTY}\n`,
    ` ${EMPTY}`,
    EMPTY.toUpperCase(),
    `sha256:${EMPTY.slice(7).toUpperCase()}`,
    EMPTY.replace('sha256', 'sha512'),
    EMPTY.slice(7),
    `x@${EMPTY}`,
  ])('does not take %j for one, and says which field holds it', (value) => {
    expect(isDigest(value)).toBe(false);
    expect(() => parseDigest('to-digest', value)).toThrow(
      expect.objectContaining({ code: 'BAD_DIGEST', message: expect.stringContaining('to-digest is ') }),
    );
  });
});
