import { hexOf, PREDICATE, sha256, statementAbout } from '@gitless/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSigner } from './signer.ts';
import { SUBJECT, startWorld, type World } from './test-support.ts';
import { verifyBundle } from './verify.ts';

const FULCIO = '/api/v2/signingCert';
const LOG = '/api/v2/log/entries';
const TSA = '/api/v1/timestamp';
const digest = sha256('an artifact');
const statement = statementAbout(digest, PREDICATE.signature, {});

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

/** What is thrown; neither it nor the log holds a token. */
async function failure(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => new Error('nothing was thrown'),
    (reason: unknown) => reason,
  );
  const everything = `${String(error)} ${JSON.stringify(error)} ${world.logged.join('\n')}`;
  expect(world.issuer.issuedTokens.length).toBeGreaterThan(0);
  for (const token of world.issuer.issuedTokens) {
    expect(everything).not.toContain(token);
    expect(everything).not.toContain(token.split('.')[2]);
  }
  return error;
}

/** The next request of `path` is answered with this, once or always. */
function answer(path: string, status: number, body: unknown, always = false): void {
  world.sigstore.onRequest = (request) =>
    request.path === path && (always || request.count === 1)
      ? { status, body: typeof body === 'string' ? body : JSON.stringify(body) }
      : undefined;
}

describe('createSigner', () => {
  it('signs any number of statements with one certificate, and every bundle verifies', async () => {
    const signer = await world.signer();
    const statements = Array.from({ length: 6 }, (_, index) =>
      statementAbout(sha256(`artifact ${index}`), PREDICATE.sbom, { index }),
    );
    const signed = await Promise.all(statements.map((each) => signer.sign(each)));
    expect(world.count(FULCIO)).toBe(1);
    expect(world.count(LOG)).toBe(6);
    expect(world.count(TSA)).toBe(6);
    expect(signer.certificate).toMatchObject({ subject: SUBJECT, issuer: world.issuer.url });
    for (const [index, { bundle, verified }] of signed.entries()) {
      const expected = { digest: sha256(`artifact ${index}`), issuer: world.issuer.url, subject: SUBJECT };
      expect(verifyBundle(world.trustedRoot, bundle, expected)).toEqual(verified);
      expect(verified.statement).toEqual(statements[index]);
    }
    expect(new Set(signed.map(({ verified }) => verified.logIndex)).size).toBe(6);
  });

  it('writes bundle v0.3 with one certificate, one log entry, one timestamp and one signature', async () => {
    const signer = await world.signer();
    await signer.sign(statement);
    const { bundle } = await signer.sign(statement);
    expect(JSON.parse(Buffer.from(bundle).toString())).toEqual({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        certificate: { rawBytes: expect.any(String) },
        tlogEntries: [
          {
            logIndex: '1',
            logId: { keyId: expect.any(String) },
            kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
            inclusionProof: expect.any(Object),
            canonicalizedBody: expect.any(String),
          },
        ],
        timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: expect.any(String) }] },
      },
      dsseEnvelope: {
        payload: Buffer.from(
          `{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"${PREDICATE.signature}",` +
            `"subject":[{"digest":{"sha256":"${hexOf(digest)}"}}]}\n`,
        ).toString('base64'),
        payloadType: 'application/vnd.in-toto+json',
        signatures: [{ sig: expect.any(String) }],
      },
    });
  });

  it('writes out what protobuf leaves out: index 0 and the empty path of the first entry', async () => {
    const { bundle } = await (await world.signer()).sign(statement);
    expect(JSON.parse(Buffer.from(bundle).toString())).toMatchObject({
      verificationMaterial: { tlogEntries: [{ logIndex: '0', inclusionProof: { logIndex: '0', hashes: [] } }] },
    });
  });

  it('sends the token to Fulcio and to nobody else, and the private key to nobody', async () => {
    const signer = await world.signer();
    await signer.sign(statement);
    const [token = 'none'] = world.issuer.issuedTokens;
    expect(world.sent.filter(({ body }) => body.includes(token)).map(({ path }) => path)).toEqual([FULCIO]);
    expect(world.sent.filter(({ body }) => /PRIVATE KEY/.test(body))).toEqual([]);
    expect(world.logged.join('\n')).not.toContain(token);
  });

  it.each(['wrongSct', 'wrongInclusionProof', 'wrongTimestamp'] as const)(
    'keeps no bundle when the servers misbehave: %s',
    async (misbehaviour) => {
      world.sigstore.misbehaviour[misbehaviour] = true;
      const signer = await world.signer();
      expect(await failure(signer.sign(statement))).toMatchObject({ code: 'BUNDLE_INVALID' });
    },
  );

  it('asks for no signature with a certificate for another key', async () => {
    world.sigstore.misbehaviour.certificateForOtherKey = true;
    expect(await failure(world.signer())).toMatchObject({ code: 'CERTIFICATE_REFUSED' });
    expect(world.count(LOG)).toBe(0);
  });

  it('keeps no bundle that the given trusted root does not verify', async () => {
    const stranger = await startWorld();
    try {
      const { services } = world;
      const signer = await createSigner(world.context, {
        services,
        trustedRoot: stranger.trustedRoot,
        ...(await world.token()),
      });
      expect(await failure(signer.sign(statement))).toMatchObject({ code: 'BUNDLE_INVALID' });
    } finally {
      await stranger.close();
    }
  });

  it('signs afresh when the log kept an entry whose answer was lost', async () => {
    world.sigstore.onRequest = ({ path, count }) => (path === LOG && count === 1 ? 'reset-after' : undefined);
    const signer = await world.signer();
    const { bundle, verified } = await signer.sign(statement);
    expect(world.sigstore.requests.filter(({ path }) => path === LOG).map(({ status }) => status)).toEqual([
      0, 409, 201,
    ]);
    expect(verified.logIndex).toBe('1');
    expect(verifyBundle(world.trustedRoot, bundle, { digest, issuer: world.issuer.url, subject: SUBJECT })).toEqual(
      verified,
    );
    expect(world.count(FULCIO)).toBe(1);
  });

  it('gives up on a log that says 409 to everything', async () => {
    answer(LOG, 409, { code: 6 }, true);
    const signer = await world.signer();
    expect(await failure(signer.sign(statement))).toMatchObject({ code: 'REKOR_FAILED' });
    expect(world.count(LOG)).toBe(3);
  });

  it.each([FULCIO, LOG, TSA])('tries again where a connection is cut: %s', async (cut) => {
    world.sigstore.onRequest = ({ path, count }) => (path === cut && count === 1 ? 'reset' : undefined);
    const signer = await world.signer();
    expect((await signer.sign(statement)).verified.statement).toEqual(statement);
  });

  it('has its later statements when an earlier one failed', async () => {
    answer(TSA, 400, 'no');
    const signer = await world.signer();
    expect(await failure(signer.sign(statement))).toMatchObject({ code: 'TSA_FAILED' });
    expect((await signer.sign(statement)).verified.statement).toEqual(statement);
  });

  it.each([
    [LOG, 400, { code: 3, message: 'invalid type' }, 'REKOR_FAILED'],
    [LOG, 503, '', 'REKOR_FAILED'],
    [LOG, 201, '<html>', 'REKOR_FAILED'],
    [LOG, 201, {}, 'REKOR_FAILED'],
    [LOG, 201, [], 'REKOR_FAILED'],
    [LOG, 201, { logId: 5, kindVersion: 'x', inclusionProof: null }, 'REKOR_FAILED'],
    [LOG, 201, { logId: {}, kindVersion: {}, inclusionProof: { checkpoint: {} } }, 'BUNDLE_INVALID'],
    [LOG, 307, '', 'REKOR_FAILED'],
    [TSA, 500, 'no', 'TSA_FAILED'],
    [TSA, 201, 'no timestamp', 'BUNDLE_INVALID'],
    [TSA, 201, '', 'BUNDLE_INVALID'],
  ])('says who failed: %s answers %d %j', async (path, status, body, code) => {
    answer(path, status, body, true);
    const signer = await world.signer();
    expect(await failure(signer.sign(statement))).toMatchObject({ code });
  });

  it.each([
    ['refuses', 400, { message: 'There was an error processing the identity token' }, 'FULCIO_REFUSED'],
    ['is down', 503, '', 'FULCIO_REFUSED'],
    ['is no Fulcio', 200, '<html>', 'FULCIO_REFUSED'],
    ['does not embed the SCT', 200, { signedCertificateDetachedSct: { chain: {} } }, 'FULCIO_REFUSED'],
    ['gives no certificate', 200, { signedCertificateEmbeddedSct: { chain: { certificates: [] } } }, 'FULCIO_REFUSED'],
    ['gives garbage', 200, { signedCertificateEmbeddedSct: { chain: { certificates: ['x'] } } }, 'CERTIFICATE_REFUSED'],
  ])('says that Fulcio %s', async (_name, status, body, code) => {
    answer(FULCIO, status, body, true);
    expect(await failure(world.signer())).toMatchObject({ code, problem: { fix: expect.any(String) } });
  });

  it('repeats no token, though Fulcio’s answer does', async () => {
    world.sigstore.onRequest = () => ({
      status: 400,
      body: `invalid identity token: ${world.issuer.issuedTokens.at(-1)} (${world.issuer.issuedTokens.at(-1)})`,
    });
    expect(await failure(world.signer())).toMatchObject({
      code: 'FULCIO_REFUSED',
      problem: { why: 'invalid identity token: *** (***)' },
    });
  });

  it('says what the refused token is for and how old, because Fulcio does not', async () => {
    world.issuer.lifetimeSeconds = -60;
    expect(await failure(world.signer())).toMatchObject({
      code: 'FULCIO_REFUSED',
      problem: {
        why: 'There was an error processing the identity token',
        details: [
          `issuer ${world.issuer.url}`,
          'audience sigstore',
          expect.stringMatching(/^expired at \d{4}-\d\d-\d\dT[\d:]+Z, (?:59|6\d) s ago$/),
        ],
        fix: expect.stringContaining('expired'),
      },
    });
  });

  it('says which claim is missing', async () => {
    world.issuer.claims = { repository_visibility: undefined };
    expect(await failure(world.signer())).toMatchObject({
      code: 'FULCIO_REFUSED',
      problem: {
        why: expect.stringMatching(
          /^value <repository_visibility> not present in either claims or defaults\. \{ "ExtensionName"/,
        ),
      },
    });
  });

  it.each([
    [LOG, { code: 3, message: 'invalid hashedrekord request', details: [] }, 'invalid hashedrekord request'],
    [TSA, { code: 400, message: 'Error generating\n timestamp response' }, 'Error generating timestamp response'],
    [TSA, '', 'no reason given'],
  ])('repeats in words why %s refuses: %j', async (path, body, why) => {
    answer(path, 400, body, true);
    const signer = await world.signer();
    expect(await failure(signer.sign(statement))).toMatchObject({ problem: { why } });
  });
});
