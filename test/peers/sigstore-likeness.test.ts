import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { type ClaimOverrides, startIssuer, startSigstore, type TestIssuer, type TestSigstore } from '@gitless/testkit';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIENCE } from '../actions/support.ts';
import { extensionsOf } from './certificate-extensions.ts';
import { createState, type ServerState } from './servers/process.ts';
import { type SigstoreServers, startSigstoreServers } from './servers/sigstore.ts';

/** Where either of them listens. */
type Instance = Pick<TestSigstore, 'fulcioUrl' | 'rekorUrl' | 'tsaUrl'>;

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const SUBJECT = 'repo:acme/shop:ref:refs/heads/main';
const SIGNED = Buffer.from('what is signed, logged and stamped');
const DIGEST = createHash('sha256').update(SIGNED).digest('base64');
const KEY_DETAILS = 'PKIX_ECDSA_P256_SHA_256';

describe('the embedded Sigstore answers as the real one does', () => {
  let state: ServerState;
  let issuer: TestIssuer;
  let stranger: TestIssuer;
  let real: SigstoreServers;
  let embedded: TestSigstore;
  const key: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  beforeAll(async () => {
    state = await createState('likeness');
    issuer = await startIssuer();
    stranger = await startIssuer();
    real = await startSigstoreServers(state, { issuer, audience: AUDIENCE });
    embedded = await startSigstore({ issuer, audience: AUDIENCE });
  });
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
  afterAll(async ({}, suite) => {
    await real?.stop();
    await Promise.all([embedded, issuer, stranger].map((server) => server?.close()));
    await state?.close(suite);
  });

  /** The same request to both; answers that do not depend on keys, positions and tree sizes must be the same. */
  async function expectSame(ask: (instance: Instance) => Promise<Response>): Promise<void> {
    const [ours, theirs] = [await answerOf(await ask(embedded)), await answerOf(await ask(real))];
    expect(ours).toEqual(theirs);
  }

  interface TokenOptions {
    readonly audience?: string;
    readonly claims?: ClaimOverrides;
    readonly lifetimeSeconds?: number;
    readonly from?: TestIssuer;
  }

  async function token({ audience = AUDIENCE, claims = {}, lifetimeSeconds = 300, from = issuer }: TokenOptions = {}) {
    Object.assign(from, { claims, lifetimeSeconds });
    const headers = { authorization: `Bearer ${from.requestToken}` };
    const response = await fetch(`${from.tokenRequestUrl}&audience=${audience}`, { headers });
    return v.parse(v.object({ value: v.string() }), await response.json()).value;
  }

  const fulcio = (body: string) => (instance: Instance) => post(`${instance.fulcioUrl}/api/v2/signingCert`, body);
  const rekor = (body: string) => (instance: Instance) => post(`${instance.rekorUrl}/api/v2/log/entries`, body);
  const tsa = (body: string, type?: string) => (instance: Instance) => post(instance.tsaUrl, body, type);

  function certificateRequest(
    jwt: string,
    { by = key, hash = 'sha256', subject = SUBJECT }: ProofOptions = {},
  ): string {
    const content = by.publicKey.export({ type: 'spki', format: 'pem' });
    const proof = sign(hash, Buffer.from(subject), by.privateKey).toString('base64');
    const publicKeyRequest = { publicKey: { algorithm: 'ECDSA', content }, proofOfPossession: proof };
    return JSON.stringify({ credentials: { oidcIdentityToken: jwt }, publicKeyRequest });
  }

  it.each<[string, TokenOptions]>([
    ['expired', { lifetimeSeconds: -60 }],
    ['for another audience', { audience: 'registry' }],
    ['without run_attempt', { claims: { run_attempt: undefined } }],
    ['without job_workflow_ref', { claims: { job_workflow_ref: undefined } }],
    ['without sha', { claims: { sha: undefined } }],
    ['without repository', { claims: { repository: undefined } }],
    ['without workflow_ref', { claims: { workflow_ref: undefined } }],
    ['without repository_visibility', { claims: { repository_visibility: undefined } }],
    ['without runner_environment', { claims: { runner_environment: undefined } }],
  ])('Fulcio, to a token %s', async (_what, options) => {
    await expectSame(fulcio(certificateRequest(await token(options))));
  });

  it.each(['', 'garbage', 'a.b.c'])('Fulcio, to the token %j', (jwt) => expectSame(fulcio(certificateRequest(jwt))));

  it('Fulcio, to the token of an issuer that it does not know', async () => {
    await expectSame(fulcio(certificateRequest(await token({ from: stranger }))));
  });

  it.each<[string, ProofOptions]>([
    ['over another subject', { subject: 'repo:acme/other' }],
    ['by a P-384 key over SHA-256', { by: generateKeyPairSync('ec', { namedCurve: 'P-384' }) }],
    ['by a curve that nobody uses', { by: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }) }],
  ])('Fulcio, to a proof of possession %s', async (_what, options) => {
    await expectSame(fulcio(certificateRequest(await token(), options)));
  });

  it.each(['', '{}', 'null', '[]', 'hello', '{"credentials":{}}'])('Fulcio, to %j', (body) => expectSame(fulcio(body)));

  it('Fulcio, to no key', async () => {
    await expectSame(fulcio(JSON.stringify({ credentials: { oidcIdentityToken: await token() } })));
  });

  it.each<[string, TokenOptions, ProofOptions]>([
    ['in no environment', {}, {}],
    [
      'in an environment',
      { claims: { environment: 'production' } },
      { subject: 'repo:acme/shop:environment:production' },
    ],
    ['with a P-384 key', {}, { by: generateKeyPairSync('ec', { namedCurve: 'P-384' }), hash: 'sha384' }],
    ['with an RSA key', {}, { by: generateKeyPairSync('rsa', { modulusLength: 2048 }) }],
  ])('Fulcio, with a certificate for a workflow %s', async (_what, options, proof) => {
    const request = fulcio(certificateRequest(await token(options), proof));
    const [ours, theirs] = [await certificateOf(await request(embedded)), await certificateOf(await request(real))];
    expect(ours).toEqual(theirs);
    expect(theirs.extensions.length).toBeGreaterThan(25);
  });

  function entry(change: Record<string, unknown> = {}, signature: Record<string, unknown> = {}): string {
    const rawBytes = key.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const content = sign('sha256', SIGNED, key.privateKey).toString('base64');
    const verifier = { keyDetails: KEY_DETAILS, publicKey: { rawBytes } };
    const request = { digest: DIGEST, signature: { content, verifier, ...signature }, ...change };
    return JSON.stringify({ hashedRekordRequestV002: request });
  }

  it('Rekor, to a new entry, to the next, and to the first again', async () => {
    const first = entry();
    for (const request of [first, entry(), first]) {
      await expectSame(rekor(request));
    }
  });

  it.each([
    ['a DSSE envelope', '{"dsseRequestV002":{}}'],
    ['nothing', '{}'],
    ['an unknown field', '{"more":1}'],
    ['an unknown field inside', entry({ more: 1 })],
    ['an array', '[]'],
    ['null', 'null'],
    ['text', 'hello'],
    ['an empty request', '{"hashedRekordRequestV002":{}}'],
    ['another digest', entry({ digest: createHash('sha256').update('other').digest('base64') })],
    ['a short digest', entry({ digest: 'AAAA' })],
    ['no signature', entry({ signature: undefined })],
    ['no verifier', entry({}, { verifier: undefined })],
    ['a broken key', entry({}, { verifier: { keyDetails: KEY_DETAILS, publicKey: { rawBytes: 'AAAA' } } })],
    [
      'a broken certificate',
      entry({}, { verifier: { keyDetails: KEY_DETAILS, x509Certificate: { rawBytes: 'AAAA' } } }),
    ],
    ['a broken signature', entry({}, { content: 'AAAA' })],
  ])('Rekor, to %s', (_what, body) => expectSame(rekor(body)));

  const stamp = (change: Record<string, unknown> = {}) =>
    JSON.stringify({ artifactHash: DIGEST, hashAlgorithm: 'sha256', ...change });

  it.each([
    ['a hash', stamp()],
    ['an upper-case algorithm', stamp({ hashAlgorithm: 'SHA256' })],
    ['its own policy', stamp({ tsaPolicyOID: '1.3.6.1.4.1.57264.2' })],
    ['a nonce', stamp({ nonce: 12345 })],
    ['a wish for certificates', stamp({ certificates: true })],
  ])('the timestamp authority, to %s', async (_what, body) => {
    const [ours, theirs] = [await timestampOf(await tsa(body)(embedded)), await timestampOf(await tsa(body)(real))];
    expect(ours).toEqual(theirs);
    expect(theirs).toMatchObject({ status: 200, granted: true, imprint: true, policy: true });
  });

  it.each([
    ['a short hash', stamp({ artifactHash: 'AAAA' })],
    ['no hash', stamp({ artifactHash: undefined })],
    ['no algorithm', stamp({ hashAlgorithm: undefined })],
    ['an unknown algorithm', stamp({ hashAlgorithm: 'md5' })],
    ['a weak algorithm', stamp({ hashAlgorithm: 'sha1' })],
    ['another policy', stamp({ tsaPolicyOID: '1.2.3.4' })],
    ['nothing', ''],
    ['an empty object', '{}'],
    ['null', 'null'],
    ['text', 'hello'],
    ['text that says so', 'hello', 'text/plain'],
    ['a broken query', '0\u0003\u0002\u0001\u0001', 'application/timestamp-query'],
  ])('the timestamp authority, to %s', (_what, body, type?: string) => expectSame(tsa(body, type)));

  it.each(['fulcioUrl', 'rekorUrl', 'tsaUrl'] as const)('to another method: %s', async (service) => {
    const paths = { fulcioUrl: '/api/v2/signingCert', rekorUrl: '/api/v2/log/entries', tsaUrl: '' };
    await expectSame((instance) => fetch(`${instance[service]}${paths[service]}`));
  });
});

interface ProofOptions {
  readonly by?: KeyPair;
  readonly hash?: string;
  readonly subject?: string;
}

function post(url: string, body: string, type = 'application/json'): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
}

/** Status, content type, and what a client reads, without what only this instance or this moment says. */
async function answerOf(response: Response): Promise<unknown> {
  const body: unknown = JSON.parse(await response.text(), (name, value: unknown) => {
    if (name === 'keyId' || name === 'rootHash' || name === 'envelope') {
      return `${typeof value} with ${String(value).split('\n').length} lines`;
    }
    return name === 'message' ? steady(String(value)) : value;
  });
  const { status, headers } = response;
  return {
    status,
    type: headers.get('content-type'),
    allow: headers.get('allow'),
    logIndex: headers.get('x-log-index'),
    body,
  };
}

/** protojson puts a blank or a no-break space after `proto:`, as it likes, and go-openapi lists media types in any order. */
function steady(message: string): string {
  return message
    .replaceAll('\u00a0', ' ')
    .replace(/\(line 1:\d+\)/, '(line 1:n)')
    .replace(/only \[(.+) (.+)\]/, (_all, a, b) => `only ${[a, b].sort().join(' and ')}`);
}

const ChainSchema = v.object({
  signedCertificateEmbeddedSct: v.object({ chain: v.object({ certificates: v.array(v.string()) }) }),
});

/** A certificate without its keys, serial number, signature and SCT. */
async function certificateOf(response: Response) {
  const { signedCertificateEmbeddedSct } = v.parse(ChainSchema, await response.json());
  const { certificates } = signedCertificateEmbeddedSct.chain;
  const leaf = new X509Certificate(certificates[0] ?? '');
  const own = /^(?:1\.3\.6\.1\.4\.1\.57264|2\.5\.29\.(?:15|17|37))/;
  return {
    status: response.status,
    chain: certificates.map((pem) => new X509Certificate(pem).ca),
    subject: leaf.subject,
    keyType: leaf.publicKey.asymmetricKeyType,
    lifetime: leaf.validToDate.getTime() - leaf.validFromDate.getTime(),
    extensions: extensionsOf(leaf.raw).map(({ oid, critical, value }) => [
      oid,
      critical,
      own.test(oid) ? value.toString('hex') : 'of the instance',
    ]),
  };
}

/** What of a timestamp does not depend on keys and the moment; that it verifies is shown wherever a bundle is. */
async function timestampOf(response: Response) {
  const bytes = Buffer.from(await response.arrayBuffer());
  const holds = (hex: string) => bytes.includes(Buffer.from(hex, 'hex'));
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    granted: holds('3003020100'),
    imprint: holds(`300d060960864801650304020105000420${Buffer.from(DIGEST, 'base64').toString('hex')}`),
    policy: holds('06092b0601040183bf3002'),
    nonce: holds('02023039'),
    certificate: bytes.length > 900,
  };
}
