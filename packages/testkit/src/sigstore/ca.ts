import { randomBytes } from 'node:crypto';
import { generateSigningKey, type SigningKey, toCryptoKey } from './keys.ts';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from './x509.ts';

export const EKU = { codeSigning: '1.3.6.1.5.5.7.3.3', timeStamping: '1.3.6.1.5.5.7.3.8' } as const;

/** A root and the intermediate under it, as Fulcio and the timestamp authority have them. */
export interface CertificateAuthority {
  readonly root: Buffer;
  readonly intermediate: Buffer;
  readonly intermediateKey: SigningKey;
  /** Issues a leaf with key usage digitalSignature, extended key usage, key identifiers and then `extensions`, in that order. */
  issueLeaf(request: LeafRequest): Promise<Buffer>;
}

interface LeafRequest {
  readonly subject?: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Hexadecimal; {@link randomSerialNumber} makes one. */
  readonly serialNumber: string;
  readonly extendedKeyUsage: ExtendedKeyUsageExtension;
  readonly extensions: readonly Extension[];
}

const TEN_YEARS_MS = 10 * 365 * 24 * 3600 * 1000;
const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' };

/** `name` goes into the subjects, `eku` restricts the intermediate; both certificates are valid for ten years from `notBefore`. */
export async function createCertificateAuthority(
  name: string,
  eku: string,
  notBefore: Date,
): Promise<CertificateAuthority> {
  const rootKey = generateSigningKey();
  const intermediateKey = generateSigningKey();
  const rootName = `O=sigstore.test, CN=${name} root`;
  const intermediateName = `O=sigstore.test, CN=${name} intermediate`;
  const validity = { notBefore, notAfter: new Date(notBefore.getTime() + TEN_YEARS_MS) };
  const caUsage = new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true);

  const root = await X509CertificateGenerator.create({
    ...validity,
    subject: rootName,
    issuer: rootName,
    serialNumber: randomSerialNumber(),
    publicKey: rootKey.spki,
    signingKey: toCryptoKey(rootKey),
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: [
      caUsage,
      new BasicConstraintsExtension(true, 1, true),
      await SubjectKeyIdentifierExtension.create(rootKey.spki),
    ],
  });
  const intermediate = await X509CertificateGenerator.create({
    ...validity,
    subject: intermediateName,
    issuer: rootName,
    serialNumber: randomSerialNumber(),
    publicKey: intermediateKey.spki,
    signingKey: toCryptoKey(rootKey),
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: [
      caUsage,
      new BasicConstraintsExtension(true, 0, true),
      new ExtendedKeyUsageExtension([eku]),
      await SubjectKeyIdentifierExtension.create(intermediateKey.spki),
      await AuthorityKeyIdentifierExtension.create(rootKey.spki),
    ],
  });

  return {
    root: toDer(root),
    intermediate: toDer(intermediate),
    intermediateKey,
    issueLeaf: async ({ extendedKeyUsage, extensions, ...request }) =>
      toDer(
        await X509CertificateGenerator.create({
          ...request,
          issuer: intermediateName,
          signingKey: toCryptoKey(intermediateKey),
          signingAlgorithm: SIGNING_ALGORITHM,
          extensions: [
            new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
            extendedKeyUsage,
            await SubjectKeyIdentifierExtension.create(request.publicKey),
            await AuthorityKeyIdentifierExtension.create(intermediateKey.spki),
            ...extensions,
          ],
        }),
      ),
  };
}

/** 20 bytes, positive and without leading zeros (RFC 5280 §4.1.2.2). */
export function randomSerialNumber(): string {
  const bytes = randomBytes(20);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes.toString('hex');
}

/** RFC 7468: what Fulcio answers with. */
export function toPem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function toDer(certificate: X509Certificate): Buffer {
  return Buffer.from(certificate.rawData);
}
