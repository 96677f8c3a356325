import { PREDICATE, sha256, statementAbout } from '@gitless/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, changed, ENTRY, memberPaths, refusal } from './test-bundles.ts';
import { SUBJECT, startWorld, type World } from './test-support.ts';
import { verifyBundle } from './verify.ts';

const DIGEST = sha256('an artifact');
const TIMESTAMP = ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps', 0, 'signedTimestamp'];

let world: World;
/** A valid bundle; its log holds earlier entries, so that the inclusion proof has hashes. */
let valid: Buffer;

beforeAll(async () => {
  world = await startWorld();
  const signer = await world.signer();
  const statement = statementAbout(DIGEST, PREDICATE.signature, { note: 'x' });
  for (let count = 0; count < 5; count += 1) {
    await signer.sign(statement);
  }
  valid = Buffer.from((await signer.sign(statement)).bundle);
});
afterAll(() => world.close());

function verify(bundle: Uint8Array) {
  return verifyBundle(world.trustedRoot, bundle, { digest: DIGEST, issuer: world.issuer.url, subject: SUBJECT });
}

function flipped(path: readonly (string | number)[], position: number, bit: number): Buffer {
  const bytes = Buffer.from(String(at(valid, path)), 'base64');
  const index = position % bytes.length;
  bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << bit), index);
  return changed(valid, path, bytes.toString('base64'));
}

/** What nothing protects, such as white space or the hint of a key, may change; nothing that is told may. */
function onlyRefusesOrTells(bundle: Uint8Array, facts: unknown): void {
  let seen: unknown;
  const { code } = refusal(() => {
    seen = verify(bundle);
  });
  if (code === 'none') {
    expect(seen).toEqual(facts);
  } else {
    expect(code).toBe('BUNDLE_INVALID');
  }
}

describe('verifyBundle of what was corrupted', () => {
  const PROTECTED = [
    ['dsseEnvelope', 'payload'],
    ['dsseEnvelope', 'signatures', 0, 'sig'],
    ['verificationMaterial', 'certificate', 'rawBytes'],
    [...ENTRY, 'canonicalizedBody'],
    [...ENTRY, 'logId', 'keyId'],
    [...ENTRY, 'inclusionProof', 'hashes', 0],
  ];

  it('never verifies once a bit of what is signed, logged or certified is flipped', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PROTECTED), fc.nat(), fc.nat(7), (path, position, bit) => {
        expect(refusal(() => verify(flipped(path, position, bit))).code).toBe('BUNDLE_INVALID');
      }),
      { numRuns: 100 },
    );
  });

  it('never tells anything else once a bit of the timestamp is flipped', () => {
    const facts = verify(valid);
    fc.assert(
      fc.property(fc.nat(), fc.nat(7), (position, bit) => {
        onlyRefusesOrTells(flipped(TIMESTAMP, position, bit), facts);
      }),
      { numRuns: 100 },
    );
  });

  it('never tells anything else, and throws nothing but a user’s error, when the text is corrupted at random', () => {
    const facts = verify(valid);
    const edit = fc.record({ at: fc.nat(valid.length), remove: fc.nat(3), add: fc.uint8Array({ maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const corrupted = edits.reduce(
          (bytes, { at, remove, add }) => Buffer.concat([bytes.subarray(0, at), add, bytes.subarray(at + remove)]),
          valid,
        );
        onlyRefusesOrTells(corrupted, facts);
      }),
      { numRuns: 150 },
    );
  });

  it('throws nothing but BUNDLE_INVALID for members that are missing or of another kind', () => {
    const paths = memberPaths(JSON.parse(valid.toString()));
    const other = fc.constantFrom(undefined, null, '', 'x', 0, -1, 1.5, true, [], {}, [[]], [null], { a: 1 }, '\u0000');
    const facts = verify(valid);
    fc.assert(
      fc.property(fc.constantFrom(...paths), other, (path, value) => {
        onlyRefusesOrTells(changed(valid, path, value), facts);
      }),
      { numRuns: 150 },
    );
  });

  it('throws nothing but BUNDLE_INVALID for garbage', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (garbage) => {
          expect(refusal(() => verify(garbage)).code).toBe('BUNDLE_INVALID');
        },
      ),
    );
  });
});
