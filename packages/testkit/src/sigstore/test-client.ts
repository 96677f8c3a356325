import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { STATEMENT_PAYLOAD_TYPE } from '@gitless/core';
import { startIssuer, type TestIssuer } from '../oidc/issuer.ts';
import { textAt, valueAt } from './requests.ts';
import { type SigstoreOptions, startSigstore, type TestSigstore } from './server.ts';

/** The identity that the default claims lead to. */
export const IDENTITY = 'https://github.com/acme/shop/.github/workflows/ship.yml@refs/heads/main';
const SUBJECT = 'repo:acme/shop:ref:refs/heads/main';

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A DSSE envelope with what went into it. */
export interface SignedStatement {
  readonly leaf: X509Certificate;
  readonly envelope: unknown;
  readonly preAuthEncoding: Buffer;
  readonly signature: Buffer;
}

/** Issuer and servers of one test, and a plain client that does what a signer does, one request a function. */
export async function startStack(options: Omit<SigstoreOptions, 'issuer'> = {}) {
  const issuer = await startIssuer();
  const sigstore = await startSigstore({ issuer, ...options });

  async function token(audience = 'sigstore', from: TestIssuer = issuer): Promise<string> {
    const headers = { authorization: `Bearer ${from.requestToken}` };
    return textAt(await (await fetch(`${from.tokenRequestUrl}&audience=${audience}`, { headers })).json(), 'value');
  }

  async function leafFor(key = newKey()): Promise<X509Certificate> {
    const [leaf] = await certificates(await requestCertificate(sigstore, await token(), key));
    if (leaf === undefined) {
      throw new Error('Fulcio issued no certificate');
    }
    return leaf;
  }

  return {
    issuer,
    sigstore,
    token,
    leafFor,
    signStatement: async (): Promise<SignedStatement> => {
      const key = newKey();
      return sealStatement(key.privateKey, await leafFor(key));
    },
    createEntry: (request: unknown) => postJson(`${sigstore.rekorUrl}/api/v2/log/entries`, request),
    bundleJson: async (signed: SignedStatement, tlogEntries: readonly unknown[]) => ({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      dsseEnvelope: signed.envelope,
      verificationMaterial: {
        certificate: { rawBytes: signed.leaf.raw.toString('base64') },
        tlogEntries,
        timestampVerificationData: {
          rfc3161Timestamps: [{ signedTimestamp: await timestamp(sigstore, signed.signature) }],
        },
      },
    }),
    close: async () => {
      await Promise.all([sigstore.close(), issuer.close()]);
    },
  };
}

/** A signer's ephemeral P-256 key. */
export function newKey(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** POSTs `json` as `application/json`. */
export function postJson(url: string, json: unknown): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(json),
  });
}

/** The `message` of an error answer. */
export async function messageOf(response: Response): Promise<string> {
  return textAt(await response.json(), 'message');
}

/** Asks Fulcio, with a proof of possession over `subject`. */
export function requestCertificate(
  { fulcioUrl }: TestSigstore,
  oidcIdentityToken: string,
  key = newKey(),
  subject = SUBJECT,
): Promise<Response> {
  const content = key.publicKey.export({ type: 'spki', format: 'pem' });
  const proofOfPossession = sign('sha256', Buffer.from(subject), key.privateKey).toString('base64');
  return postJson(`${fulcioUrl}/api/v2/signingCert`, {
    credentials: { oidcIdentityToken },
    publicKeyRequest: { publicKey: { algorithm: 'ECDSA', content }, proofOfPossession },
  });
}

/** The chain in Fulcio's answer, leaf first; empty when it refused. */
export async function certificates(response: Response): Promise<X509Certificate[]> {
  const list = valueAt(await response.json(), 'signedCertificateEmbeddedSct', 'chain', 'certificates');
  return Array.isArray(list) ? list.map((pem) => new X509Certificate(String(pem))) : [];
}

/** The entry that stands for a DSSE envelope in Rekor v2: a hashedrekord over its pre-authentication encoding. */
export function entryRequest({ preAuthEncoding, signature, leaf }: Omit<SignedStatement, 'envelope'>): unknown {
  return {
    hashedRekordRequestV002: {
      digest: createHash('sha256').update(preAuthEncoding).digest('base64'),
      signature: {
        content: signature.toString('base64'),
        verifier: {
          keyDetails: 'PKIX_ECDSA_P256_SHA_256',
          x509Certificate: { rawBytes: leaf.raw.toString('base64') },
        },
      },
    },
  };
}

function sealStatement(privateKey: KeyObject, leaf: X509Certificate): SignedStatement {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: createHash('sha256').update('an artifact').digest('hex') } }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  };
  const payload = JSON.stringify(statement);
  const header = `DSSEv1 ${STATEMENT_PAYLOAD_TYPE.length} ${STATEMENT_PAYLOAD_TYPE} ${payload.length} `;
  const preAuthEncoding = Buffer.from(header + payload);
  const signature = sign('sha256', preAuthEncoding, privateKey);
  const envelope = {
    payload: Buffer.from(payload).toString('base64'),
    payloadType: STATEMENT_PAYLOAD_TYPE,
    signatures: [{ sig: signature.toString('base64') }],
  };
  return { leaf, envelope, preAuthEncoding, signature };
}

async function timestamp({ tsaUrl }: TestSigstore, signature: Buffer): Promise<string> {
  const artifactHash = createHash('sha256').update(signature).digest('base64');
  const response = await postJson(tsaUrl, { artifactHash, hashAlgorithm: 'sha256' });
  return Buffer.from(await response.arrayBuffer()).toString('base64');
}
