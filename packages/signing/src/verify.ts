import {
  type Digest,
  errorMessage,
  hexOf,
  parseJsonWith,
  STATEMENT_PAYLOAD_TYPE,
  type Statement,
  StatementSchema,
  UserError,
} from '@gitless/core';
import {
  BUNDLE_V03_LEGACY_MEDIA_TYPE,
  BUNDLE_V03_MEDIA_TYPE,
  type Bundle,
  bundleFromJSON,
  isBundleWithDsseEnvelope,
} from '@sigstore/bundle';
import { RFC3161Timestamp } from '@sigstore/core';
import type { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import * as v from 'valibot';
import { type CertificateFacts, readCertificate } from './certificate.ts';
import { loggedCertificate } from './log-entry.ts';
import { keepEncoding, trustMaterialOf } from './trust-material.ts';

const NOT_TAKEN = 'do not use it; find out who wrote it, and sign again with the shipping workflow';

type LogEntry = Bundle['verificationMaterial']['tlogEntries'][number];

/** Who must have signed about what. Exact strings: nothing here is a pattern. */
export interface Expectation {
  readonly digest: Digest;
  readonly issuer: string;
  readonly subject: string;
  /** `https://github.com/owner/name`: the repository that ran, checked where given. */
  readonly sourceRepository?: string;
}

export interface VerifiedStatement {
  readonly statement: Statement;
  readonly certificate: CertificateFacts;
  /** When it was signed, by the timestamp authority or, in a Rekor v1 bundle without one, by the log. */
  readonly signedAt: Date;
  readonly logIndex: string;
}

/**
 * Verifies one Sigstore bundle v0.3 with a DSSE envelope, offline. Beyond `@sigstore/verify` it checks what that leaves open: the
 * in-toto type, the subject's digest, the extended key usage, that there is one log entry and that its certificate is the bundle's.
 * Throws `BUNDLE_INVALID` or `CERTIFICATE_REFUSED` (proves nothing), `SUBJECT_MISMATCH` (about something else) or `IDENTITY_MISMATCH`
 * (valid, by someone else).
 */
export function verifyBundle(root: TrustedRoot, json: Uint8Array, expected: Expectation): VerifiedStatement {
  const bundle = parseBundle(json);
  const envelope = bundle.content.dsseEnvelope;
  const content = bundle.verificationMaterial.content;
  if (content.$case !== 'certificate' || envelope.payloadType !== STATEMENT_PAYLOAD_TYPE) {
    throw invalid(
      `signed with ${content.$case}, payload ${envelope.payloadType}; wants a certificate and an in-toto statement`,
    );
  }
  const der = content.certificate.rawBytes;
  try {
    const verifier = new Verifier(trustMaterialOf(root), {
      tlogThreshold: 1,
      ctlogThreshold: 1,
      timestampThreshold: 1,
    });
    const entity = toSignedEntity(bundle);
    if (entity.key.$case === 'certificate') {
      keepEncoding(entity.key.certificate);
    }
    verifier.verify(entity);
  } catch (error) {
    throw invalid(errorMessage(error));
  }
  const [entry, ...more] = bundle.verificationMaterial.tlogEntries;
  if (entry === undefined || more.length > 0) {
    throw invalid(`it holds ${more.length + 1} log entries; wants one, whose time and index can be relied on`);
  }
  if (!loggedCertificate(entry.canonicalizedBody).equals(der)) {
    throw invalid('the log entry is about another certificate');
  }
  const statement = parseJsonWith(StatementSchema, envelope.payload, {
    code: 'BUNDLE_INVALID',
    where: 'the signed statement',
    fix: NOT_TAKEN,
  });
  if (!statement.subject.some((subject) => subject.digest.sha256 === hexOf(expected.digest))) {
    throw new UserError({
      code: 'SUBJECT_MISMATCH',
      what: 'the statement is about another artifact',
      details: [
        `expected ${expected.digest}`,
        ...statement.subject.map((subject) => `seen sha256:${subject.digest.sha256}`),
      ],
      fix: NOT_TAKEN,
    });
  }
  const certificate = readCertificate(der);
  requireIdentity(certificate, expected);
  return { statement, certificate, signedAt: signingTime(bundle, entry), logIndex: provenIndex(entry) };
}

function requireIdentity(seen: CertificateFacts, expected: Expectation): void {
  const faults = (['subject', 'issuer', 'sourceRepository'] as const)
    .filter((field) => expected[field] !== undefined && expected[field] !== seen[field])
    .map((field) => `${field}: expected ${expected[field]}, seen ${seen[field] ?? 'none'}`);
  if (faults.length > 0) {
    throw new UserError({
      code: 'IDENTITY_MISMATCH',
      what: 'the signature is valid, but by someone else',
      details: faults,
      fix: 'if the other identity is right, correct identity and issuer; otherwise find out who signed this',
    });
  }
}

function parseBundle(json: Uint8Array) {
  const data = parseJsonWith(v.record(v.string(), v.unknown()), json, {
    code: 'BUNDLE_INVALID',
    where: 'the bundle',
    fix: NOT_TAKEN,
  });
  let bundle: Bundle;
  try {
    bundle = bundleFromJSON(data);
  } catch (error) {
    throw invalid(errorMessage(error));
  }
  // `bundleFromJSON` also takes older versions, and any that is still to come.
  if (![BUNDLE_V03_MEDIA_TYPE, BUNDLE_V03_LEGACY_MEDIA_TYPE].includes(bundle.mediaType)) {
    throw invalid(`it is ${JSON.stringify(bundle.mediaType)}; wants ${BUNDLE_V03_MEDIA_TYPE}`);
  }
  if (!isBundleWithDsseEnvelope(bundle)) {
    throw invalid('it holds a message signature, which neither Flux nor cosign accepts for an OCI artifact');
  }
  return bundle;
}

function signingTime({ verificationMaterial }: Bundle, { integratedTime }: LogEntry): Date {
  const timestamp = verificationMaterial.timestampVerificationData?.rfc3161Timestamps[0];
  return timestamp === undefined
    ? new Date(Number(integratedTime) * 1000)
    : RFC3161Timestamp.parse(Buffer.from(timestamp.signedTimestamp)).signingTime;
}

/** Rekor v1 signs the index of an entry with its promise; without one only the inclusion proof binds an index. */
function provenIndex({ logIndex, inclusionPromise, inclusionProof }: LogEntry): string {
  return inclusionPromise === undefined ? (inclusionProof?.logIndex ?? logIndex) : logIndex;
}

function invalid(why: string): UserError {
  return new UserError({ code: 'BUNDLE_INVALID', what: 'a signature bundle does not verify', why, fix: NOT_TAKEN });
}
