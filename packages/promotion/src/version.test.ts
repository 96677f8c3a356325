import fc from 'fast-check';
import { parse } from 'semver';
import { describe, expect, it } from 'vitest';
import { compareVersions, isVersion, parseVersion } from './version.ts';

describe('isVersion', () => {
  it.each([
    '0.0.0',
    '1.2.3',
    'v1.2.3',
    'v10.20.30',
    '1.0.0-rc.1',
    'v1.0.0-alpha-a.b-c.0.0a.-',
    '1.0.0--',
    '999999999999999.0.0',
    `1.0.0-${'a'.repeat(122)}`,
  ])('takes %s', (tag) => {
    expect(isVersion(tag)).toBe(true);
    expect(parseVersion(tag)).toBe(tag);
  });

  it.each([
    '',
    'latest',
    'stable',
    'v',
    'v1',
    '1.2',
    'v1.2',
    '1.2.3.4',
    '01.2.3',
    '1.02.3',
    '1.2.3-01',
    '1.2.3-',
    '1.2.3-a..b',
    '1.2.3+build',
    '1.2.3-rc.1+build',
    'V1.2.3',
    'vv1.2.3',
    '=1.2.3',
    '^1.2.3',
    '1.2.x',
    ' 1.2.3',
    '1.2.3 ',
    '1.2.3\n',
    '1.2.3-ä',
    '١.2.3',
    '9007199254740992.0.0',
    `1.0.0-${'a'.repeat(123)}`,
    'b-8f1c2d3e4a5b-180',
    `sha256-${'a'.repeat(64)}`,
  ])('does not take %j', (tag) => {
    expect(isVersion(tag)).toBe(false);
    expect(() => parseVersion(tag)).toThrow(
      expect.objectContaining({ code: 'BAD_VERSION', message: expect.stringContaining(JSON.stringify(tag)) }),
    );
  });

  it('is SemVer: what it takes can be compared and reads as it is written', () => {
    const part = fc.oneof(fc.nat().map(String), fc.constantFrom('0', '00', '01', '-', 'a', 'rc', 'x', '', '1e3', '+'));
    const text = fc
      .tuple(fc.constantFrom('', 'v'), fc.array(part, { minLength: 2, maxLength: 4 }), fc.option(fc.array(part)))
      .map(([prefix, core, rest]) => `${prefix}${core.join('.')}${rest === null ? '' : `-${rest.join('.')}`}`);
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (tag) => {
        const parsed = parse(tag);
        const plain = parsed !== null && parsed.build.length === 0 && parsed.version === tag.replace(/^v/, '');
        expect(isVersion(tag)).toBe(plain);
        if (isVersion(tag)) {
          expect(compareVersions(tag, tag)).toBe(0);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('compareVersions', () => {
  it('orders as SemVer 2.0.0 §11, a leading v apart', () => {
    const ascending = [
      '0.9.9',
      'v1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      'v1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      'v1.0.0',
      '1.0.1',
      '1.2.0',
      'v1.10.0',
      '2.0.0',
    ];
    expect(ascending.toReversed().sort(compareVersions)).toEqual(ascending);
    expect(compareVersions('v1.2.3', '1.2.3')).toBe(0);
  });
});
