import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';

/** The value with the members of every object in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(reversed);
  }
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value).reverse();
    return Object.fromEntries(members.map(([key, member]) => [key, reversed(member)]));
  }
  return value;
}

describe('canonicalJson', () => {
  it('loses nothing', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value: unknown = JSON.parse(text);
        expect(JSON.parse(canonicalJson(value))).toEqual(value);
      }),
    );
  });

  it('does not depend on the order of members, and is its own fixed point', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value: unknown = JSON.parse(text);
        const canonical = canonicalJson(value);
        expect(canonicalJson(reversed(value))).toBe(canonical);
        expect(canonicalJson(JSON.parse(canonical))).toBe(canonical);
      }),
    );
  });

  it('sorts by UTF-16 code units, also keys that look like numbers (RFC 8785 §3.2.3)', () => {
    const key = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect([...canonicalJson(key).matchAll(/:(\d)/g)].map(([, digit]) => digit)).toEqual([
      '2',
      '4',
      '6',
      '7',
      '1',
      '5',
      '3',
    ]);
    expect(canonicalJson({ 9: 1, 10: 2, '-': 3, a: 4 })).toBe('{"-":3,"10":2,"9":1,"a":4}\n');
  });

  it('has no white space but one newline at the end', () => {
    expect(canonicalJson({ b: [1, { d: 'x y', c: null }], a: undefined })).toBe('{"b":[1,{"c":null,"d":"x y"}]}\n');
  });

  it('keeps a member named __proto__', () => {
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"z":1,"a":2}}'))).toBe('{"__proto__":{"a":2,"z":1},"b":1}\n');
  });

  it('writes a date as JSON does, and refuses what is no JSON at all', () => {
    expect(canonicalJson({ at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}\n');
    expect(() => canonicalJson(undefined)).toThrow();
  });
});
