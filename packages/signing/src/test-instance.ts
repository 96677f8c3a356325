import { createHash, type KeyObject } from 'node:crypto';
import { canonicalJson, STATEMENT_PAYLOAD_TYPE, type Statement } from '@gitless/core';
import { preAuthEncoding } from './pae.ts';
import { newKey, SUBJECT, signSha256 } from './test-support.ts';

/*
 * A Sigstore instance by hand: one CA, one CT log, one Rekor v1 log. For what the servers of the testkit never do: certificates that
 * Fulcio would not issue, and bundles as cosign writes them with Rekor v1 (dsse 0.0.1, signed entry timestamp, no timestamp authority).
 */

export const ISSUER = 'https://issuer.test';
const REKOR_URL = 'https://rekor.test';

export interface BundleOptions {
  /** Dotted OIDs; none leaves the extension out. */
  readonly extendedKeyUsage?: readonly string[];
  /** Content of the uniformResourceIdentifier in the subject alternative name; none leaves the extension out. */
  readonly subject?: Uint8Array | undefined;
  /** What the log's entry names as verifier; by default the certificate. */
  readonly verifier?: string;
  /** Without the promise the log's time is not proven. */
  readonly withPromise?: boolean;
  readonly integratedTime?: number;
}

export function createInstance() {
  const ca = authority();
  const ctLog = newKey();
  const rekor = newKey();
  const rekorId = idOf(rekor.publicKey);
  const validFor = { start: new Date(Date.now() - 60_000).toISOString() };
  const certChain = { certificates: [{ rawBytes: ca.certificate.toString('base64') }] };
  const log = (baseUrl: string, key: KeyObject) => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: spki(key).toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    logId: { keyId: idOf(key).toString('base64') },
  });

  return {
    trustedRoot: {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [log(REKOR_URL, rekor.publicKey)],
      ctlogs: [log('https://ct.test', ctLog.publicKey)],
      certificateAuthorities: [{ subject: { organization: 'test' }, uri: 'https://fulcio.test', certChain, validFor }],
      timestampAuthorities: [{ subject: { organization: 'test' }, uri: 'https://tsa.test', certChain, validFor }],
    },
    /** A bundle v0.3 with a Rekor v1 entry, as cosign writes it. */
    bundle(statement: Statement, options: BundleOptions = {}): Buffer {
      const { extendedKeyUsage = ['1.3.6.1.5.5.7.3.3'], withPromise = true } = options;
      const key = newKey();
      const leaf = ca.issue(key.publicKey, ctLog.privateKey, ctLog.publicKey, [
        ...(extendedKeyUsage.length > 0 ? [extension('2.5.29.37', seq(...extendedKeyUsage.map(oid)))] : []),
        ...('subject' in options && options.subject === undefined
          ? []
          : [extension('2.5.29.17', seq(der(0x86, options.subject ?? Buffer.from(SUBJECT))))]),
        extension('1.3.6.1.4.1.57264.1.8', der(0x0c, Buffer.from(ISSUER))),
      ]);
      const payload = Buffer.from(canonicalJson(statement));
      const signature = signSha256(key.privateKey, preAuthEncoding(STATEMENT_PAYLOAD_TYPE, payload));
      const pem = `-----BEGIN CERTIFICATE-----\n${leaf.toString('base64')}\n-----END CERTIFICATE-----\n`;
      const envelope = {
        payload: payload.toString('base64'),
        payloadType: STATEMENT_PAYLOAD_TYPE,
        signatures: [{ sig: signature.toString('base64') }],
      };
      const body = canonical({
        apiVersion: '0.0.1',
        kind: 'dsse',
        spec: {
          envelopeHash: { algorithm: 'sha256', value: sha256(canonical(envelope)).toString('hex') },
          payloadHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
          signatures: [
            {
              signature: signature.toString('base64'),
              verifier: Buffer.from(options.verifier ?? pem).toString('base64'),
            },
          ],
        },
      });
      const integratedTime = options.integratedTime ?? Math.floor(Date.now() / 1000);
      const logIndex = 4711;
      const promise = signSha256(
        rekor.privateKey,
        canonical({ body: body.toString('base64'), integratedTime, logID: rekorId.toString('hex'), logIndex }),
      );
      const root = sha256(Buffer.from([0]), body);
      const note = `rekor.test - 1193050959916656506\n1\n${root.toString('base64')}\n`;
      const noteSignature = Buffer.concat([rekorId.subarray(0, 4), signSha256(rekor.privateKey, Buffer.from(note))]);
      const entry = {
        logIndex: String(logIndex),
        logId: { keyId: rekorId.toString('base64') },
        kindVersion: { kind: 'dsse', version: '0.0.1' },
        integratedTime: String(integratedTime),
        ...(withPromise ? { inclusionPromise: { signedEntryTimestamp: promise.toString('base64') } } : {}),
        inclusionProof: {
          logIndex: '0',
          rootHash: root.toString('base64'),
          treeSize: '1',
          hashes: [],
          checkpoint: { envelope: `${note}\n\u2014 rekor.test ${noteSignature.toString('base64')}\n` },
        },
        canonicalizedBody: body.toString('base64'),
      };
      return Buffer.from(
        JSON.stringify({
          mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
          verificationMaterial: { certificate: { rawBytes: leaf.toString('base64') }, tlogEntries: [entry] },
          dsseEnvelope: envelope,
        }),
      );
    },
  };
}

/** A self-signed CA that issues certificates with an embedded SCT (RFC 5280 §4.1, RFC 6962 §3). */
function authority() {
  const { privateKey, publicKey } = newKey();
  const name = seq(der(0x31, seq(oid('2.5.4.3'), der(0x0c, Buffer.from('fulcio.test')))));
  const caOnly = [
    extension('2.5.29.19', seq(der(0x01, Buffer.from([0xff]))), true),
    extension('2.5.29.15', der(0x03, Buffer.from([1, 6])), true),
  ];
  const signed = (tbs: Buffer) =>
    seq(tbs, ALGORITHM, der(0x03, Buffer.concat([Buffer.from([0]), signSha256(privateKey, tbs)])));
  return {
    certificate: signed(tbsCertificate(name, name, publicKey, caOnly)),
    issue(key: KeyObject, ctPrivateKey: KeyObject, ctPublicKey: KeyObject, extensions: readonly Buffer[]): Buffer {
      const timestamp = bigEndian(8, Date.now());
      const withoutSct = tbsCertificate(name, seq(), key, extensions);
      const toSign = Buffer.concat([
        Buffer.from([0, 0]),
        timestamp,
        Buffer.from([0, 1]),
        idOf(publicKey),
        bigEndian(3, withoutSct.length),
        withoutSct,
        Buffer.from([0, 0]),
      ]);
      const signature = vector(signSha256(ctPrivateKey, toSign));
      const sct = Buffer.concat([Buffer.from([0]), idOf(ctPublicKey), timestamp, Buffer.from([0, 0, 4, 3]), signature]);
      const list = extension('1.3.6.1.4.1.11129.2.4.2', der(0x04, vector(vector(sct))));
      return signed(tbsCertificate(name, seq(), key, [...extensions, list]));
    },
  };
}

const ALGORITHM = seq(oid('1.2.840.10045.4.3.2'));

function tbsCertificate(issuer: Buffer, subject: Buffer, key: KeyObject, extensions: readonly Buffer[]): Buffer {
  const time = (at: number) => {
    const digits = new Date(at).toISOString().slice(0, 19).replace(/[-T:]/g, '');
    return der(0x18, Buffer.from(`${digits}Z`));
  };
  const validity = seq(time(Date.now() - 60_000), time(Date.now() + 600_000));
  return seq(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([0x47, 0x11])),
    ALGORITHM,
    issuer,
    validity,
    subject,
    spki(key),
    der(0xa3, seq(...extensions)),
  );
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return seq(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

/** Tag, definite length, content (ITU-T X.690). */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function seq(...members: readonly Uint8Array[]): Buffer {
  return der(0x30, ...members);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const base128 = rest.flatMap((arc) => {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift((left % 128) | 0x80);
    }
    return digits;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...base128]));
}

/** A TLS vector with a length of two bytes (RFC 8446 §3.4). */
function vector(content: Buffer): Buffer {
  return Buffer.concat([bigEndian(2, content.length), content]);
}

function bigEndian(bytes: number, value: number): Buffer {
  return Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function idOf(key: KeyObject): Buffer {
  return sha256(spki(key));
}

function canonical(value: unknown): Buffer {
  return Buffer.from(canonicalJson(value).trimEnd());
}

function sha256(...data: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of data) {
    hash.update(part);
  }
  return hash.digest();
}
