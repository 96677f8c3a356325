import { UserError } from '@gitless/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatReference, isTag, parseReference, parseRepository, type Reference } from './reference.ts';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?$/);
const registry = fc.oneof(
  fc.tuple(label, fc.constantFrom('io', 'example', 'com')).map((parts) => parts.join('.')),
  fc.constantFrom('localhost', 'localhost:5000', '127.0.0.1:443', '[::1]:5000'),
);
const segment = fc.stringMatching(/^[a-z0-9]{1,6}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
const repository = fc.array(segment, { minLength: 2, maxLength: 4 }).map((segments) => segments.join('/'));
const reference: fc.Arbitrary<Reference> = fc.record(
  {
    registry,
    repository,
    tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/),
    digest: fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}` as const),
  },
  { requiredKeys: ['registry', 'repository'] },
);

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof UserError ? error.code : 'not a UserError';
  }
  return 'none';
}

describe('parseReference', () => {
  it('reads back every reference that is written', () => {
    fc.assert(
      fc.property(reference, (it) => {
        expect(parseReference('image', formatReference(it))).toEqual(it);
      }),
    );
  });

  it('reads any text or says that it cannot', () => {
    const text = fc.oneof(
      fc.string(),
      reference.map(formatReference).chain((it) => fc.string().map((noise) => it + noise)),
    );
    fc.assert(
      fc.property(text, (it) => {
        const code = codeOf(() => expect(formatReference(parseReference('image', it))).toBe(it));
        expect(['none', 'BAD_REFERENCE']).toContain(code);
      }),
    );
  });

  it.each([
    ['oci://ghcr.io/acme/web', '"ghcr.io/acme/web"'],
    ['ghcr.io/Acme/Web', '"ghcr.io/acme/web"'],
    ['alpine', 'write the host out'],
    ['acme/web', 'write the host out'],
    ['localhost:5000', 'write the host out'],
    ['docker.io/alpine', 'docker.io/library/alpine'],
    ['ghcr.io/acme/../web', 'lower-case letters'],
    ['ghcr.io/acme//web', 'lower-case letters'],
    ['ghcr.io/acme/web:', 'up to 128'],
    ['ghcr.io/acme/web@sha256:12', '64 lower-case hex'],
    ['user@ghcr.io/acme/web', 'write the host out'],
    ['ghcr.io:99999/acme/web', 'host or host:port'],
    [`ghcr.io/${'a'.repeat(260)}`, 'lower-case letters'],
    [`ghcr.io/${'a'.repeat(9000)}`, '255 characters'],
  ])('refuses %s and says what to write', (text, fix) => {
    expect(() => parseReference('image', text)).toThrow(
      expect.objectContaining({
        problem: expect.objectContaining({ code: 'BAD_REFERENCE', fix: expect.stringContaining(fix) }),
      }),
    );
  });
});

describe('parseRepository', () => {
  it('takes host and path, and neither tag nor digest', () => {
    expect(parseRepository('registry', 'ghcr.io/acme')).toEqual({ registry: 'ghcr.io', repository: 'acme' });
    expect(codeOf(() => parseRepository('registry', 'ghcr.io/acme:v1'))).toBe('BAD_REFERENCE');
    expect(codeOf(() => parseRepository('registry', `ghcr.io/acme@sha256:${'0'.repeat(64)}`))).toBe('BAD_REFERENCE');
  });
});

describe('isTag', () => {
  it.each(['latest', 'v1.2.3', `sha256-${'0'.repeat(64)}`, '_x', 'a'.repeat(128)])('takes %s', (tag) => {
    expect(isTag(tag)).toBe(true);
  });
  it.each(['', '.x', '-x', 'a/b', 'a:b', 'a b', 'a\n', 'a'.repeat(129)])('refuses %j', (tag) => {
    expect(isTag(tag)).toBe(false);
  });
});
