import { PREDICATE, type Statement, sha256, statementAbout } from '@gitless/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preAuthEncoding } from './pae.ts';
import { at, changed, ENTRY, refusal, signByHand } from './test-bundles.ts';
import { REPOSITORY, SUBJECT, startWorld, type World } from './test-support.ts';
import { type Expectation, verifyBundle } from './verify.ts';

const DIGEST = sha256('an artifact');
const STATEMENT = statementAbout(DIGEST, PREDICATE.signature, { note: 'x' });
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

let world: World;
/** A valid bundle; its log holds earlier entries, so that the inclusion proof has hashes. */
let valid: Buffer;
let expected: Expectation;

beforeAll(async () => {
  world = await startWorld();
  expected = { digest: DIGEST, issuer: world.issuer.url, subject: SUBJECT };
  const signer = await world.signer();
  for (let count = 0; count < 5; count += 1) {
    await signer.sign(statementAbout(sha256(`artifact ${count}`), PREDICATE.signature, {}));
  }
  valid = Buffer.from((await signer.sign(STATEMENT)).bundle);
});
afterAll(() => world.close());

function verify(bundle: Uint8Array, changes: Partial<Expectation> = {}) {
  return verifyBundle(world.trustedRoot, bundle, { ...expected, ...changes });
}

async function signedEnvelope(payload: Uint8Array, payloadType = PAYLOAD_TYPE) {
  const parts = await signByHand(world, preAuthEncoding(payloadType, payload));
  const envelope = {
    payload: Buffer.from(payload).toString('base64'),
    payloadType,
    signatures: [{ sig: parts.signature.toString('base64') }],
  };
  return { ...parts, content: { dsseEnvelope: envelope } };
}

describe('verifyBundle', () => {
  it('gives statement, signer, time and index of a valid bundle', () => {
    const { statement, certificate, signedAt, logIndex } = verify(valid, { sourceRepository: REPOSITORY });
    expect(statement).toEqual(STATEMENT);
    expect(certificate).toEqual({
      subject: SUBJECT,
      issuer: world.issuer.url,
      sourceRepository: REPOSITORY,
      sourceRef: 'refs/heads/main',
      sourceDigest: expect.stringMatching(/^[0-9a-f]{40}$/),
      trigger: 'push',
      runUrl: `${REPOSITORY}/actions/runs/18012345678/attempts/1`,
      runnerEnvironment: 'github-hosted',
    });
    expect(Math.abs(signedAt.getTime() - Date.now())).toBeLessThan(60_000);
    expect(logIndex).toBe('5');
  });

  it.each([
    ['subject', 'https://github.com/acme/shop/.github/workflows/other.yml@refs/heads/main'],
    ['subject', SUBJECT.slice(0, -1)],
    ['subject', `${SUBJECT}2`],
    ['subject', SUBJECT.replaceAll('.', '?')],
    ['subject', '.'],
    ['subject', '.*'],
    ['subject', ''],
    ['subject', 'https://github.com/acme/'],
    ['subject', SUBJECT.toUpperCase()],
    ['issuer', 'https://token.actions.githubusercontent.com'],
    ['issuer', '.*'],
    ['issuer', 'http://'],
    ['sourceRepository', 'https://github.com/acme/shop2'],
    ['sourceRepository', 'https://github.com/acme'],
    ['sourceRepository', 'acme/shop'],
    ['sourceRepository', '.*'],
    ['sourceRepository', ''],
  ])('takes no other %s: %j', (field, value) => {
    const { code, text } = refusal(() => verify(valid, { [field]: value }));
    expect(code).toBe('IDENTITY_MISMATCH');
    expect(text).toContain(`${field}: expected ${value}, seen `);
  });

  it('takes no other digest, and says what was expected and seen', () => {
    const other = sha256('another artifact');
    const { code, text } = refusal(() => verify(valid, { digest: other }));
    expect(code).toBe('SUBJECT_MISMATCH');
    expect(text).toContain(`expected ${other}`);
    expect(text).toContain(`seen ${DIGEST}`);
  });

  it('takes any of the subjects, by its whole digest', async () => {
    const several: Statement = {
      ...STATEMENT,
      subject: [...STATEMENT.subject, { digest: { sha256: 'b'.repeat(64) } }],
    };
    const { bundle } = await (await world.signer()).sign(several);
    expect(verify(bundle).statement.subject).toHaveLength(2);
    expect(verify(bundle, { digest: `sha256:${'b'.repeat(64)}` }).statement.subject).toHaveLength(2);
    expect(refusal(() => verify(bundle, { digest: `sha256:${'b'.repeat(63)}` })).code).toBe('SUBJECT_MISMATCH');
  });

  it('takes no payload or payload type but what was signed', () => {
    const forged = Buffer.from(JSON.stringify({ ...STATEMENT, predicate: { note: 'y' } })).toString('base64');
    expect(refusal(() => verify(changed(valid, ['dsseEnvelope', 'payload'], forged))).code).toBe('BUNDLE_INVALID');
    expect(refusal(() => verify(changed(valid, ['dsseEnvelope', 'payloadType'], 'text/plain'))).code).toBe(
      'BUNDLE_INVALID',
    );
  });

  it.each([
    ['of another payload type', JSON.stringify(STATEMENT), 'application/json'],
    ['of another in-toto version', JSON.stringify({ ...STATEMENT, _type: 'https://in-toto.io/Statement/v2' })],
    ['about nothing', JSON.stringify({ ...STATEMENT, subject: [] })],
    ['that is no statement', '"hello"'],
    ['that is not JSON', '{'],
  ])('refuses a well-signed envelope %s', async (_name, payload, payloadType = PAYLOAD_TYPE) => {
    const { bundle, log, certificate, content } = await signedEnvelope(Buffer.from(payload), payloadType);
    const logged = bundle([await log(certificate)], content);
    expect(refusal(() => verify(logged)).code).toBe('BUNDLE_INVALID');
  });

  it('refuses a well-signed message signature: Flux and cosign do', async () => {
    const { bundle, log, certificate, digest, signature } = await signByHand(world, Buffer.from('an artifact'));
    const messageSignature = {
      messageDigest: { algorithm: 'SHA2_256', digest: digest.toString('base64') },
      signature: signature.toString('base64'),
    };
    const logged = bundle([await log(certificate)], { messageSignature });
    expect(refusal(() => verify(logged))).toMatchObject({
      code: 'BUNDLE_INVALID',
      text: expect.stringContaining('message signature'),
    });
  });

  it('takes bundle v0.3 only, in both ways to write its media type', () => {
    const legacy = 'application/vnd.dev.sigstore.bundle+json;version=0.3';
    expect(verify(changed(valid, ['mediaType'], legacy)).statement).toEqual(STATEMENT);
    for (const mediaType of [
      'application/vnd.dev.sigstore.bundle+json;version=0.1',
      'application/vnd.dev.sigstore.bundle+json;version=0.2',
      'application/vnd.dev.sigstore.bundle.v0.4+json',
      'application/vnd.dev.sigstore.bundle.v0.3+json2',
      '',
      undefined,
    ]) {
      expect(refusal(() => verify(changed(valid, ['mediaType'], mediaType))).code).toBe('BUNDLE_INVALID');
    }
  });

  it.each(['application/vnd.dev.sigstore.bundle+json;version=0.2', 'application/vnd.dev.sigstore.bundle.v0.3+json'])(
    'refuses a certificate chain, the older shape: %s',
    (mediaType) => {
      const chain = { certificates: [at(valid, ['verificationMaterial', 'certificate'])] };
      const withChain = changed(
        changed(valid, ['mediaType'], mediaType),
        ['verificationMaterial', 'x509CertificateChain'],
        chain,
      );
      const older = changed(withChain, ['verificationMaterial', 'certificate'], undefined);
      expect(refusal(() => verify(older)).code).toBe('BUNDLE_INVALID');
    },
  );

  it('refuses a bundle that was signed with a key', () => {
    const keyed = changed(valid, ['verificationMaterial', 'certificate'], undefined);
    const withHint = changed(keyed, ['verificationMaterial', 'publicKey'], { hint: 'x' });
    expect(refusal(() => verify(withHint)).code).toBe('BUNDLE_INVALID');
  });

  it('refuses an entry that was logged for another certificate of the same key, and a second entry beside the right one', async () => {
    const { bundle, log, key, certificate, content } = await signedEnvelope(Buffer.from(JSON.stringify(STATEMENT)));
    const own = await log(certificate);
    const other = await log(await world.certificateFor(key.privateKey));
    expect(verify(bundle([own], content)).statement).toEqual(STATEMENT);
    expect(refusal(() => verify(bundle([other], content)))).toMatchObject({
      code: 'BUNDLE_INVALID',
      text: expect.stringContaining('another certificate'),
    });
    expect(refusal(() => verify(bundle([own, other], content)))).toMatchObject({
      code: 'BUNDLE_INVALID',
      text: expect.stringContaining('2 log entries'),
    });
  });

  it('refuses the entry of another signature, one without proof, and none', async () => {
    const { bundle } = await (await world.signer()).sign(STATEMENT);
    const foreign = changed(valid, ENTRY, at(bundle, ENTRY));
    expect(refusal(() => verify(foreign)).code).toBe('BUNDLE_INVALID');
    expect(refusal(() => verify(changed(valid, ['verificationMaterial', 'tlogEntries'], []))).code).toBe(
      'BUNDLE_INVALID',
    );
    expect(refusal(() => verify(changed(valid, [...ENTRY, 'inclusionProof'], undefined))).code).toBe('BUNDLE_INVALID');
  });

  it('refuses a bundle without timestamp: Rekor v2 proves no time', () => {
    const without = changed(valid, ['verificationMaterial', 'timestampVerificationData'], undefined);
    expect(refusal(() => verify(without)).code).toBe('BUNDLE_INVALID');
    const claimed = changed(without, [...ENTRY, 'integratedTime'], String(Math.floor(Date.now() / 1000)));
    expect(refusal(() => verify(claimed)).code).toBe('BUNDLE_INVALID');
  });

  it('tells the index and the time that are proven, not those that are claimed', () => {
    const claimed = changed(changed(valid, [...ENTRY, 'logIndex'], '99'), [...ENTRY, 'integratedTime'], '1');
    expect(verify(claimed)).toEqual(verify(valid));
  });

  it('refuses what another instance signed', async () => {
    const stranger = await startWorld();
    try {
      const { bundle } = await (await stranger.signer()).sign(STATEMENT);
      expect(refusal(() => verify(bundle)).code).toBe('BUNDLE_INVALID');
    } finally {
      await stranger.close();
    }
  });
});
