import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import {
  type Context,
  canonicalJson,
  errorMessage,
  STATEMENT_PAYLOAD_TYPE,
  type Statement,
  UserError,
} from '@gitless/core';
import { BUNDLE_V03_MEDIA_TYPE, bundleFromJSON, bundleToJSON } from '@sigstore/bundle';
import type { TrustedRoot } from '@sigstore/protobuf-specs';
import { type CertificateFacts, readCertificate } from './certificate.ts';
import { requestCertificate } from './fulcio.ts';
import { preAuthEncoding } from './pae.ts';
import { addLogEntry } from './rekor.ts';
import type { SigningServices } from './services.ts';
import { requestTimestamp } from './timestamp-authority.ts';
import { type VerifiedStatement, verifyBundle } from './verify.ts';

/** A fresh signature makes a fresh log entry; more conflicts than this mean that the log is broken. */
const MAX_CONFLICTS = 3;

export interface SignedStatement {
  /** A Sigstore bundle v0.3 as JSON. */
  readonly bundle: Uint8Array;
  readonly verified: VerifiedStatement;
}

export interface Signer {
  readonly certificate: CertificateFacts;
  /** Signs one statement and verifies the bundle against the trusted root before it is returned. */
  sign(statement: Statement): Promise<SignedStatement>;
}

export interface SignerOptions {
  readonly services: SigningServices;
  readonly trustedRoot: TrustedRoot;
  readonly jwt: string;
  readonly tokenSubject: string;
}

/**
 * One key and one certificate for all statements of a job: the key exists in this process only and never leaves it.
 * `@sigstore/sign` would ask for a token and a certificate per signature and speaks an entry type that Rekor v2 refuses.
 */
export async function createSigner(context: Context, options: SignerOptions): Promise<Signer> {
  const { services, trustedRoot } = options;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leaf = await requestCertificate(context, {
    fulcioUrl: services.fulcioUrl,
    jwt: options.jwt,
    tokenSubject: options.tokenSubject,
    privateKey,
  });
  const certificate = readCertificate(leaf);

  async function signOnce(payload: Buffer): Promise<unknown> {
    const encoding = preAuthEncoding(STATEMENT_PAYLOAD_TYPE, payload);
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      const signature = sign('sha256', encoding, privateKey);
      const [entry, timestamp] = await Promise.all([
        addLogEntry(context, {
          rekorUrl: services.rekorUrl,
          digest: createHash('sha256').update(encoding).digest(),
          signature,
          certificate: leaf,
        }),
        requestTimestamp(context, services.tsaUrl, signature),
      ]);
      if (entry !== undefined) {
        return {
          mediaType: BUNDLE_V03_MEDIA_TYPE,
          verificationMaterial: {
            certificate: { rawBytes: leaf.toString('base64') },
            tlogEntries: [entry],
            timestampVerificationData: {
              rfc3161Timestamps: [{ signedTimestamp: Buffer.from(timestamp).toString('base64') }],
            },
          },
          dsseEnvelope: {
            payload: payload.toString('base64'),
            payloadType: STATEMENT_PAYLOAD_TYPE,
            signatures: [{ sig: signature.toString('base64'), keyid: '' }],
          },
        };
      }
      context.log.info('the log already holds this entry; signing afresh');
    }
    throw new UserError({
      code: 'REKOR_FAILED',
      what: `the transparency log answered 409 to ${MAX_CONFLICTS} different signatures`,
      why: 'it says that it holds each of them already, which cannot be',
      fix: 'tell those who run the log',
    });
  }

  return {
    certificate,
    async sign(statement) {
      const json = await signOnce(Buffer.from(canonicalJson(statement)));
      const bundle = serializeBundle(json);
      const verified = verifyBundle(trustedRoot, bundle, {
        digest: `sha256:${statement.subject[0]?.digest.sha256}`,
        issuer: certificate.issuer,
        subject: certificate.subject,
      });
      return { bundle, verified };
    },
  };
}

/**
 * Without what the log's answer holds beyond a TransparencyLogEntry: strict readers refuse unknown fields. With what protobuf's JSON
 * leaves out, an index of 0 and an empty path: sigstore-python refuses the first entry of a log without them.
 */
function serializeBundle(json: unknown): Buffer {
  try {
    const { verificationMaterial, ...bundle } = bundleToJSON(bundleFromJSON(json));
    const tlogEntries = verificationMaterial.tlogEntries.map((entry) => ({
      ...Object.assign({ logIndex: '0' }, entry),
      inclusionProof: Object.assign({ logIndex: '0', hashes: [] }, entry.inclusionProof),
    }));
    return Buffer.from(JSON.stringify({ ...bundle, verificationMaterial: { ...verificationMaterial, tlogEntries } }));
  } catch (error) {
    throw new UserError({
      code: 'REKOR_FAILED',
      what: "the log's answer is not a log entry",
      why: errorMessage(error),
      fix: 'check that rekor-url names a Rekor v2 log',
    });
  }
}
