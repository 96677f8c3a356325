import { UserError } from '@gitless/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from './challenge.ts';

function plain(header: string): unknown {
  return parseChallenges(header).map(({ scheme, params }) => [scheme, Object.fromEntries(params)]);
}

describe('parseChallenges', () => {
  it.each([
    [
      'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:acme/web:pull,push"',
      [['bearer', { realm: 'https://ghcr.io/token', service: 'ghcr.io', scope: 'repository:acme/web:pull,push' }]],
    ],
    // RFC 9110 §11.6.1
    [
      'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
      [
        ['basic', { realm: 'simple' }],
        ['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
      ],
    ],
    ['BASIC', [['basic', {}]]],
    [
      'Negotiate, bEaReR  Realm = "x" ,, error=insufficient_scope',
      [
        ['negotiate', {}],
        ['bearer', { realm: 'x', error: 'insufficient_scope' }],
      ],
    ],
    [
      'Negotiate YWJj==, Basic realm=""',
      [
        ['negotiate', {}],
        ['basic', { realm: '' }],
      ],
    ],
    ['Bearer realm="a",realm="b"', [['bearer', { realm: 'a' }]]],
    ['', []],
  ])('reads %s', (header, expected) => {
    expect(plain(header)).toEqual(expected);
  });

  it.each(['Bearer realm="open', 'Bearer a=b, realm=', '"quoted"', 'Bearer realm="a" junk"'])(
    'refuses %s',
    (header) => {
      expect(() => parseChallenges(header)).toThrow(/BAD_CHALLENGE/);
    },
  );

  it('reads back what is written, whatever the values hold', () => {
    const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const params = fc.dictionary(token, fc.string(), { minKeys: 1, maxKeys: 4, noNullPrototype: true });
    const challenges = fc.array(fc.tuple(token, params), { maxLength: 3 });
    fc.assert(
      fc.property(challenges, (written) => {
        const header = written
          .map(([scheme, values]) => {
            const pairs = Object.entries(values).map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`);
            return `${scheme.toUpperCase()} ${pairs.join(', ')}`;
          })
          .join(', ');
        expect(plain(header)).toEqual(written);
      }),
    );
  });

  it('reads any header or says that it cannot', () => {
    const text = fc.array(fc.constantFrom('Bearer', ' ', ',', '=', '"', '\\', 'a', 'realm', '\t'), { maxLength: 20 });
    fc.assert(
      fc.property(text, (parts) => {
        try {
          parseChallenges(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });
});
