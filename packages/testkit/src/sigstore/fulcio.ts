import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Answer, jsonAnswer } from '../oidc/loopback-server.ts';
import { type CertificateAuthority, EKU, randomSerialNumber, toPem } from './ca.ts';
import { certificateExtensions, MissingClaim } from './certificate-extensions.ts';
import type { CtLog } from './ct-log.ts';
import { generateSigningKey } from './keys.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { bytesAt, grpcError, readMessage, textAt } from './requests.ts';
import { ExtendedKeyUsageExtension } from './x509.ts';

export interface FulcioSettings {
  readonly authority: CertificateAuthority;
  readonly ctLog: CtLog;
  /** The token's claims; rejects a token that is not this issuer's, not for this audience, or not valid at `at`. */
  readonly verifyToken: (token: string, at: Date) => Promise<Readonly<Record<string, unknown>>>;
  readonly certificateLifetimeSeconds: number;
  readonly now: () => Date;
  readonly misbehaviour: Misbehaviour;
}

/**
 * `POST /api/v2/signingCert` of Fulcio's CA service, in the form with a public key and a proof of possession.
 * https://github.com/sigstore/fulcio/blob/main/fulcio.proto; texts of pkg/server/error.go.
 */
export async function createSigningCertificate(body: Buffer, settings: FulcioSettings): Promise<Answer> {
  const { message: request, syntaxError } = readMessage(body);
  if (syntaxError !== undefined) {
    return grpcError('invalidArgument', syntaxError);
  }
  const now = settings.now();
  const claims = await settings.verifyToken(textAt(request, 'credentials', 'oidcIdentityToken'), now).catch(() => null);
  if (claims === null) {
    return grpcError('invalidArgument', 'There was an error processing the identity token');
  }
  const publicKey = parsePublicKey(textAt(request, 'publicKeyRequest', 'publicKey', 'content'));
  const proofDigest = publicKey && proofDigestOf(publicKey);
  if (publicKey === undefined || proofDigest === undefined) {
    return grpcError('invalidArgument', 'The public key supplied in the request could not be parsed');
  }
  const proof = bytesAt(request, 'publicKeyRequest', 'proofOfPossession');
  if (!verify(proofDigest, Buffer.from(textAt(claims, 'sub')), publicKey, proof)) {
    return grpcError('invalidArgument', 'The signature supplied in the request could not be verified');
  }
  try {
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const leaf = await issueLeaf(claims, spki, now, settings);
    const certificates = [leaf, settings.authority.intermediate, settings.authority.root].map(toPem);
    return jsonAnswer(200, { signedCertificateEmbeddedSct: { chain: { certificates } } });
  } catch (error) {
    if (error instanceof MissingClaim) {
      return grpcError('invalidArgument', error.message);
    }
    throw error;
  }
}

/** RFC 6962 §3.1: the log signs the certificate without SCT; the one with SCT is the same in everything else. */
async function issueLeaf(
  claims: Readonly<Record<string, unknown>>,
  requestedKey: Buffer,
  now: Date,
  { authority, ctLog, certificateLifetimeSeconds, misbehaviour }: FulcioSettings,
): Promise<Buffer> {
  const extensions = certificateExtensions(claims);
  const request = {
    publicKey: misbehaviour.certificateForOtherKey ? generateSigningKey().spki : requestedKey,
    serialNumber: randomSerialNumber(),
    extendedKeyUsage: new ExtendedKeyUsageExtension([EKU.codeSigning]),
    notBefore: now,
    notAfter: new Date(now.getTime() + certificateLifetimeSeconds * 1000),
  };
  const withoutSct = await authority.issueLeaf({ ...request, extensions });
  const sct = ctLog.timestampExtension(withoutSct, authority.intermediateKey.spki, now, misbehaviour.wrongSct);
  return authority.issueLeaf({ ...request, extensions: [...extensions, sct] });
}

const CURVE_DIGESTS: Readonly<Record<string, string>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/** The hash under which Fulcio verifies a proof by such a key, `null` where the key has its own; undefined when it knows no such keys. */
function proofDigestOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | null | undefined {
  switch (asymmetricKeyType) {
    case 'ec':
      return CURVE_DIGESTS[asymmetricKeyDetails?.namedCurve ?? ''];
    case 'rsa':
      return 'sha256';
    case 'ed25519':
      return null;
    default:
      return undefined;
  }
}

function parsePublicKey(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}
