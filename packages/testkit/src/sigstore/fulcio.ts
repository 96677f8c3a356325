import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Answer, jsonAnswer } from '../oidc/loopback-server.ts';
import { type CertificateAuthority, randomSerialNumber, toPem } from './ca.ts';
import { certificateExtensions, MissingClaim } from './certificate-extensions.ts';
import type { CtLog } from './ct-log.ts';
import { generateSigningKey } from './keys.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { bytesAt, grpcError, parseBody, textAt } from './requests.ts';

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
  const request = parseBody(body);
  const now = settings.now();
  const claims = await settings.verifyToken(textAt(request, 'credentials', 'oidcIdentityToken'), now).catch(() => null);
  if (claims === null) {
    return grpcError('invalidArgument', 'There was an error processing the identity token');
  }
  const publicKey = parsePublicKey(textAt(request, 'publicKeyRequest', 'publicKey', 'content'));
  if (publicKey === undefined) {
    return grpcError('invalidArgument', 'The public key supplied in the request could not be parsed');
  }
  if (publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    return grpcError('invalidArgument', 'The public key supplied in the request is insecure');
  }
  const proof = bytesAt(request, 'publicKeyRequest', 'proofOfPossession');
  if (!verify('sha256', Buffer.from(textAt(claims, 'sub')), publicKey, proof)) {
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
    notBefore: now,
    notAfter: new Date(now.getTime() + certificateLifetimeSeconds * 1000),
  };
  const withoutSct = await authority.issueLeaf({ ...request, extensions });
  const sct = ctLog.timestampExtension(withoutSct, authority.intermediateKey.spki, now, misbehaviour.wrongSct);
  return authority.issueLeaf({ ...request, extensions: [...extensions, sct] });
}

function parsePublicKey(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}
