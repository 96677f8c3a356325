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
import { type Bundle, bundleFromJSON, isBundleWithDsseEnvelope } from '@sigstore/bundle';
import { RFC3161Timestamp } from '@sigstore/core';
import type { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import * as v from 'valibot';
import { type CertificateFacts, readCertificate } from './certificate.ts';
import { loggedCertificate } from './log-entry.ts';

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
 * in-toto type, the subject's digest, the extended key usage, and that the logged certificate is the bundle's.
 * Throws `BUNDLE_INVALID` (proves nothing), `SUBJECT_MISMATCH` (about something else) or `IDENTITY_MISMATCH` (valid, by someone else).
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
    const verifier = new Verifier(toTrustMaterial(root), {
      tlogThreshold: 1,
      ctlogThreshold: 1,
      timestampThreshold: 1,
    });
    verifier.verify(toSignedEntity(bundle));
  } catch (error) {
    throw invalid(errorMessage(error));
  }
  const entry = bundle.verificationMaterial.tlogEntries[0];
  if (entry === undefined || !loggedCertificate(entry.canonicalizedBody).equals(der)) {
    throw invalid('the log entry is about another certificate');
  }
  const statement = parseJsonWith(StatementSchema, envelope.payload, {
    code: 'BUNDLE_INVALID',
    where: 'the signed statement',
  });
  if (!statement.subject.some((subject) => subject.digest.sha256 === hexOf(expected.digest))) {
    throw new UserError({
      code: 'SUBJECT_MISMATCH',
      what: 'the statement is about another artifact',
      details: [
        `expected ${expected.digest}`,
        ...statement.subject.map((subject) => `seen sha256:${subject.digest.sha256}`),
      ],
    });
  }
  const certificate = readCertificate(der);
  requireIdentity(certificate, expected);
  return { statement, certificate, signedAt: signingTime(bundle), logIndex: String(entry.logIndex) };
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
    });
  }
}

function parseBundle(json: Uint8Array) {
  const data = parseJsonWith(v.record(v.string(), v.unknown()), json, { code: 'BUNDLE_INVALID', where: 'the bundle' });
  let bundle: Bundle;
  try {
    bundle = bundleFromJSON(data);
  } catch (error) {
    throw invalid(errorMessage(error));
  }
  if (!isBundleWithDsseEnvelope(bundle)) {
    throw invalid('it holds a message signature, which neither Flux nor cosign accepts for an OCI artifact');
  }
  return bundle;
}

function signingTime(bundle: Bundle): Date {
  const { timestampVerificationData, tlogEntries } = bundle.verificationMaterial;
  const timestamp = timestampVerificationData?.rfc3161Timestamps[0];
  return timestamp === undefined
    ? new Date(Number(tlogEntries[0]?.integratedTime) * 1000)
    : RFC3161Timestamp.parse(Buffer.from(timestamp.signedTimestamp)).signingTime;
}

function invalid(why: string): UserError {
  return new UserError({ code: 'BUNDLE_INVALID', what: 'a signature bundle does not verify', why });
}
