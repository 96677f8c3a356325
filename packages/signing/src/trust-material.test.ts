import { PREDICATE, sha256, statementAbout } from '@gitless/core';
import { X509Certificate } from '@sigstore/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, refusal } from './test-bundles.ts';
import { SUBJECT, startWorld, type World } from './test-support.ts';
import { keepEncoding, trustMaterialOf } from './trust-material.ts';
import { verifyBundle } from './verify.ts';

const DIGEST = sha256('an artifact');

let world: World;
let stranger: World;
beforeAll(async () => {
  [world, stranger] = await Promise.all([startWorld(), startWorld()]);
});
afterAll(() => Promise.all([world.close(), stranger.close()]));

async function signIn(place: World): Promise<Buffer> {
  const { bundle } = await (await place.signer()).sign(statementAbout(DIGEST, PREDICATE.signature, {}));
  return Buffer.from(bundle);
}

function verify(bundle: Buffer, by: World) {
  return verifyBundle(by.trustedRoot, bundle, { digest: DIGEST, issuer: by.issuer.url, subject: SUBJECT });
}

describe('trustMaterialOf', () => {
  it('is kept for each root, and one root never speaks for another', async () => {
    expect(trustMaterialOf(world.trustedRoot)).toBe(trustMaterialOf(world.trustedRoot));
    const [ours, theirs] = [await signIn(world), await signIn(stranger)];
    // In this order, so that whatever one verification leaves behind is there for the next.
    for (const [bundle, by, code] of [
      [ours, world, 'none'],
      [theirs, world, 'BUNDLE_INVALID'],
      [theirs, stranger, 'none'],
      [ours, stranger, 'BUNDLE_INVALID'],
      [ours, world, 'none'],
    ] as const) {
      expect(refusal(() => verify(bundle, by)).code).toBe(code);
    }
  });
});

describe('keepEncoding', () => {
  it('changes no encoding, neither of the whole nor of a part', async () => {
    const bundle = await signIn(world);
    const der = Buffer.from(String(at(bundle, ['verificationMaterial', 'certificate', 'rawBytes'])), 'base64');
    const [kept, plain] = [X509Certificate.parse(der), X509Certificate.parse(der)];
    keepEncoding(kept);
    for (let look = 1; look <= 2; look += 1) {
      expect(kept.root.toDER()).toEqual(der);
      expect(kept.tbsCertificate.toDER()).toEqual(plain.tbsCertificate.toDER());
      expect(kept.publicKey).toEqual(plain.publicKey);
      expect(kept.clone().extensions).toHaveLength(plain.extensions.length);
    }
  });
});
