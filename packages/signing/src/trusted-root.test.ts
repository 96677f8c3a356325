import { PREDICATE, sha256, statementAbout } from '@gitless/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInstance } from './test-instance.ts';
import { SUBJECT, startWorld, type World } from './test-support.ts';
import { fluxTrustedRoot, parseTrustedRoot } from './trusted-root.ts';
import { verifyBundle } from './verify.ts';

const { trustedRoot } = createInstance();
const [tlog] = trustedRoot.tlogs;
const [ctlog] = trustedRoot.ctlogs;
const [authority] = trustedRoot.certificateAuthorities;

function parse(changes: object) {
  return parseTrustedRoot(Buffer.from(JSON.stringify({ ...trustedRoot, ...changes })), 'root.json');
}

describe('parseTrustedRoot', () => {
  it('reads one, with further logs and authorities', () => {
    const root = parse({ tlogs: [tlog, tlog], certificateAuthorities: [authority, authority] });
    expect(root.tlogs).toHaveLength(2);
    expect(root.certificateAuthorities[0]?.validFor?.start).toEqual(new Date(authority?.validFor.start ?? ''));
  });

  const withoutStart = { ...tlog?.publicKey, validFor: {} };

  it.each([
    ['tlogs', [tlog, { ...tlog, publicKey: withoutStart }], 'tlogs.1.publicKey.validFor.start: is missing'],
    [
      'tlogs',
      [{ ...tlog, publicKey: { ...withoutStart, validFor: undefined } }],
      'tlogs.0.publicKey.validFor.start: is missing',
    ],
    ['tlogs', [{ ...tlog, publicKey: undefined }], 'tlogs.0.publicKey.validFor.start: is missing'],
    ['ctlogs', [{ ...ctlog, publicKey: withoutStart }], 'ctlogs.0.publicKey.validFor.start: is missing'],
    [
      'certificateAuthorities',
      [{ ...authority, validFor: undefined }],
      'certificateAuthorities.0.validFor.start: is missing',
    ],
    ['timestampAuthorities', [{ ...authority, validFor: {} }], 'timestampAuthorities.0.validFor.start: is missing'],
    [
      'certificateAuthorities',
      [{ ...authority, validFor: { start: 'never' } }],
      'certificateAuthorities.0.validFor.start: is not a time',
    ],
    [
      'timestampAuthorities',
      [{ ...authority, validFor: { ...authority?.validFor, end: 'never' } }],
      'timestampAuthorities.0.validFor.end: is not a time',
    ],
    ['mediaType', 'application/json', 'mediaType: saw "application/json"'],
    ['tlogs', [], 'tlogs: is empty; at least one is needed to verify a signature of ours'],
    ['ctlogs', undefined, 'ctlogs: is empty; at least one is needed to verify a signature of ours'],
    [
      'certificateAuthorities',
      [],
      'certificateAuthorities: is empty; at least one is needed to verify a signature of ours',
    ],
    [
      'timestampAuthorities',
      [],
      'timestampAuthorities: is empty; at least one is needed to verify a signature of ours',
    ],
  ])('refuses a root and names the fault in %s', (field, value, fault) => {
    expect(() => parse({ [field]: value })).toThrow(
      expect.objectContaining({
        code: 'BAD_TRUSTED_ROOT',
        message: expect.stringContaining('root.json'),
        problem: expect.objectContaining({ details: [fault] }),
      }),
    );
  });

  it('tells of every fault at once', () => {
    expect(() => parse({ tlogs: [], mediaType: 'x', ctlogs: [] })).toThrow(
      expect.objectContaining({
        problem: expect.objectContaining({ details: expect.objectContaining({ length: 3 }) }),
      }),
    );
  });

  it.each([
    '',
    '[]',
    '{}',
    'null',
    '"x"',
    '{"tlogs":5}',
    '{"tlogs":[null]}',
    '{"tlogs":[{"publicKey":{"keyDetails":"X"}}]}',
  ])('refuses %j', (text) => {
    expect(() => parseTrustedRoot(Buffer.from(text), 'root.json')).toThrow(
      expect.objectContaining({ code: 'BAD_TRUSTED_ROOT' }),
    );
  });
});

describe('fluxTrustedRoot', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  it('keeps of all logs the one that signs, and everything else', async () => {
    const other = { ...tlog, baseUrl: 'https://other.test' };
    const own: object = JSON.parse(world.sigstore.trustedRoot);
    const many = {
      ...own,
      tlogs: [other, ...world.trustedRoot.tlogs.map(() => Object(own).tlogs[0]), { ...other, baseUrl: '' }],
    };
    const root = parseTrustedRoot(Buffer.from(JSON.stringify(many)), 'root.json');
    expect(root.tlogs).toHaveLength(3);

    const text = fluxTrustedRoot(root, world.services.rekorUrl);
    const pinned = parseTrustedRoot(Buffer.from(text), 'pinned.json');
    expect(pinned).toEqual(world.trustedRoot);
    expect(text.endsWith('}\n')).toBe(true);

    const { bundle } = await (await world.signer()).sign(statementAbout(sha256('x'), PREDICATE.signature, {}));
    const expected = { digest: sha256('x'), issuer: world.issuer.url, subject: SUBJECT };
    expect(verifyBundle(pinned, bundle, expected).certificate.subject).toBe(SUBJECT);
  });

  it.each(['https://rekor.test/', 'http://rekor.test', 'https://rekor.test'])('finds the log as %s', (url) => {
    expect(parseTrustedRoot(Buffer.from(fluxTrustedRoot(parse({}), url)), 'x').tlogs).toHaveLength(1);
    const bare = parse({ tlogs: [{ ...tlog, baseUrl: 'rekor.test' }] });
    expect(parseTrustedRoot(Buffer.from(fluxTrustedRoot(bare, url)), 'x').tlogs).toHaveLength(1);
  });

  it.each(['https://rekor.test.example', 'https://rekor.test/v2', 'https://rekor.test:8443', 'https://test', ''])(
    'takes no other log for it: %j',
    (url) => {
      const root = parse({ tlogs: [tlog, { ...tlog, baseUrl: '' }] });
      expect(() => fluxTrustedRoot(root, url)).toThrow(
        expect.objectContaining({
          code: 'TRUSTED_ROOT_LACKS_LOG',
          problem: expect.objectContaining({ details: ['holds https://rekor.test', 'holds (a log without baseUrl)'] }),
        }),
      );
    },
  );
});
