import { errorMessage, UserError } from '@gitless/core';
import { X509Certificate } from '@sigstore/core';

/** What a Fulcio certificate says about the run that signed (sigstore/fulcio `docs/oid-info.md`). */
export interface CertificateFacts {
  /** SAN URI: the identity. For GitHub `https://github.com/<job_workflow_ref>`. */
  readonly subject: string;
  readonly issuer: string;
  /** `https://github.com/owner/name`, OID 1.12: the repository that ran, which for a reusable workflow is the caller's. */
  readonly sourceRepository?: string;
  readonly sourceRef?: string;
  readonly sourceDigest?: string;
  readonly trigger?: string;
  readonly runUrl?: string;
  readonly runnerEnvironment?: string;
  /** Deployment environment, OID 1.23: only there if the job declared one. */
  readonly environment?: string;
}

const FULCIO = '1.3.6.1.4.1.57264.1';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

/** uniformResourceIdentifier [6] of a GeneralName (RFC 5280 §4.2.1.6). */
const URI_NAME = 6;

const EXTENSIONS = {
  runnerEnvironment: 11,
  sourceRepository: 12,
  sourceDigest: 13,
  sourceRef: 14,
  trigger: 20,
  runUrl: 21,
  environment: 23,
} as const;

/** Reads a DER certificate. Throws `CERTIFICATE_REFUSED` unless it is a code-signing certificate with a URI identity and an issuer. */
export function readCertificate(der: Uint8Array): CertificateFacts {
  const { usages, subject, issuer, facts } = parse(der);
  if (!usages.includes(CODE_SIGNING) || subject === undefined || issuer === undefined) {
    throw refused(
      `extended key usage ${usages.join(', ') || 'none'}, identity ${subject ?? 'none'}, issuer ${issuer ?? 'none'}`,
    );
  }
  return { subject, issuer, ...facts };
}

function parse(der: Uint8Array) {
  try {
    const certificate = X509Certificate.parse(Buffer.from(der));
    const facts = Object.entries(EXTENSIONS).flatMap(([name, arc]) => {
      const value = derString(certificate, arc);
      return value === undefined || value === '' ? [] : [[name, value]];
    });
    return {
      usages: certificate.extension(EXTENDED_KEY_USAGE)?.valueObj.subs[0]?.subs.map((oid) => oid.toOID()) ?? [],
      subject: subjectUri(certificate),
      issuer: derString(certificate, 8),
      facts: Object.fromEntries(facts),
    };
  } catch (error) {
    throw refused(errorMessage(error));
  }
}

/** The one name: with several of them it would depend on the reader who signed. As Latin-1: `@sigstore/core` reads it as Node's "ascii", which drops the eighth bit, so that other bytes would pass for letters. */
function subjectUri(certificate: X509Certificate): string | undefined {
  const [name, ...more] = certificate.extSubjectAltName?.valueObj.subs[0]?.subs ?? [];
  return more.length === 0 && name?.tag.isContextSpecific(URI_NAME) ? name.value.toString('latin1') : undefined;
}

/** Extensions from 1.8 on are DER UTF8Strings. */
function derString(certificate: X509Certificate, arc: number): string | undefined {
  return certificate.extension(`${FULCIO}.${arc}`)?.valueObj.subs[0]?.value.toString('utf8');
}

function refused(why: string): UserError {
  return new UserError({
    code: 'CERTIFICATE_REFUSED',
    what: 'the signing certificate is not a Fulcio code-signing certificate for a workflow',
    why,
    fix: 'check that fulcio-url names a Fulcio that issues certificates for workflows',
  });
}
