import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainLines } from './plain-lines.ts';

describe('plainLines', () => {
  it('leaves no workflow command', () => {
    const unit = fc.constantFrom(
      '::',
      ':',
      '##[',
      '#',
      '[',
      ']',
      '\n',
      '\r',
      ' ',
      '\t',
      '\u0085',
      '\u2028',
      'add-mask',
    );
    fc.assert(
      fc.property(fc.array(unit), (parts) => {
        const shown = plainLines(parts.join(''));
        expect(shown).not.toMatch(/^\s*::|##\[/m);
        expect(shown).not.toMatch(/[\r\u0085\u2028]/);
      }),
    );
  });

  it('leaves ordinary lines as they are', () => {
    const text = 'signing as https://github.com/acme/shop/.github/workflows/ship.yml@refs/heads/main\n  at a::b (#1)';
    expect(plainLines(text)).toBe(text);
  });
});
