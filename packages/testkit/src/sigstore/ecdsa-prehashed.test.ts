import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integer, sequence } from './der.ts';
import { verifyPrehashed } from './ecdsa-prehashed.ts';
import { sha256Bytes } from './keys.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const bytes = fc.uint8Array({ maxLength: 64 });

describe('verifyPrehashed', () => {
  it('accepts what node:crypto signed, by its digest', () => {
    fc.assert(
      fc.property(bytes, (data) => verifyPrehashed(publicKey, sha256Bytes(data), sign('sha256', data, privateKey))),
    );
  });

  it('refuses another digest, another key and a changed signature', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), (data, at) => {
        const digest = sha256Bytes(data);
        const signature = sign('sha256', data, privateKey);
        const changed = Buffer.from(signature);
        const offset = at % signature.length;
        changed.writeUInt8(changed.readUInt8(offset) ^ 1, offset);
        return (
          !verifyPrehashed(publicKey, sha256Bytes(digest), signature) &&
          !verifyPrehashed(other.publicKey, digest, signature) &&
          !verifyPrehashed(publicKey, digest, changed)
        );
      }),
      { numRuns: 30 },
    );
  });

  it('refuses arbitrary bytes, zeros and a digest that is no SHA-256', () => {
    const digest = sha256Bytes(Buffer.from('x'));
    expect(verifyPrehashed(publicKey, digest, sequence(integer(0), integer(0)))).toBe(false);
    expect(verifyPrehashed(publicKey, Buffer.alloc(0), sign('sha256', Buffer.from('x'), privateKey))).toBe(false);
    fc.assert(fc.property(bytes, (junk) => !verifyPrehashed(publicKey, digest, Buffer.from(junk))));
  });

  it('refuses a key of another curve', () => {
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const data = Buffer.from('x');
    expect(verifyPrehashed(p384.publicKey, sha256Bytes(data), sign('sha256', data, p384.privateKey))).toBe(false);
  });
});
