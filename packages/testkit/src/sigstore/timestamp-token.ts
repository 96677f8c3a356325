import { contextTag, encode, generalizedTime, integer, octetString, oid, sequence, setOf, TAG } from './der.ts';
import { type SigningKey, sha256Bytes, signSha256 } from './keys.ts';

const OID = {
  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
};

/** id-sha256 and its longer sisters, with the length of a digest. */
export const HASH_ALGORITHMS = {
  sha256: { oid: '2.16.840.1.101.3.4.2.1', bytes: 32 },
  sha384: { oid: '2.16.840.1.101.3.4.2.2', bytes: 48 },
  sha512: { oid: '2.16.840.1.101.3.4.2.3', bytes: 64 },
} as const;

type HashAlgorithm = keyof typeof HASH_ALGORITHMS;

export function isHashAlgorithm(name: string): name is HashAlgorithm {
  return Object.hasOwn(HASH_ALGORITHMS, name);
}

/** id-sha256, DER. */
export const SHA256 = oid(HASH_ALGORITHMS.sha256.oid);
const SHA256_ALGORITHM = sequence(SHA256);

/** What is stamped, and with what. */
export interface TimestampContent {
  /** MessageImprint, DER. */
  readonly messageImprint: Buffer;
  /** OBJECT IDENTIFIER, DER. */
  readonly policy: Buffer;
  readonly nonce?: bigint;
  readonly serialNumber: bigint;
  readonly genTime: Date;
}

export interface TimestampSigner {
  readonly key: SigningKey;
  /** The leaf, DER. */
  readonly certificate: Buffer;
  /** RFC 5652 §10.2.4, DER. */
  readonly issuerAndSerialNumber: Buffer;
}

const NULL = encode(0x05, Buffer.alloc(0));

/** RFC 3161 §2.4.1 MessageImprint, DER, with NULL as parameters, as Go writes it. */
export function messageImprint(digest: Uint8Array, algorithm: HashAlgorithm = 'sha256'): Buffer {
  return sequence(sequence(oid(HASH_ALGORITHMS[algorithm].oid), NULL), octetString(digest));
}

/** RFC 3161 §2.4.2 TimeStampResp, status granted. The signer's certificate goes in when `embedCertificate`. */
export function timestampResponse(
  content: TimestampContent,
  signer: TimestampSigner,
  embedCertificate: boolean,
): Buffer {
  const info = tstInfo(content);
  const signedData = sequence(
    integer(3),
    setOf(SHA256_ALGORITHM),
    sequence(oid(OID.tstInfo), contextTag(0, octetString(info))),
    ...(embedCertificate ? [contextTag(0, signer.certificate)] : []),
    setOf(signerInfo(info, content.genTime, signer)),
  );
  return sequence(sequence(integer(0)), sequence(oid(OID.signedData), contextTag(0, signedData)));
}

/** RFC 3161 §2.4.2. */
function tstInfo({ messageImprint, policy, nonce, serialNumber, genTime }: TimestampContent): Buffer {
  const accuracy = sequence(integer(1));
  return sequence(
    integer(1),
    policy,
    messageImprint,
    integer(serialNumber),
    generalizedTime(genTime),
    accuracy,
    ...(nonce === undefined ? [] : [integer(nonce)]),
  );
}

/** RFC 5652 §5.3 with the signed attributes that RFC 3161 §2.4.2 and RFC 5816 demand. */
function signerInfo(info: Buffer, genTime: Date, { key, certificate, issuerAndSerialNumber }: TimestampSigner): Buffer {
  const essCertIdV2 = sequence(octetString(sha256Bytes(certificate)));
  const attributes = setOf(
    attribute(OID.contentType, oid(OID.tstInfo)),
    attribute(OID.signingTime, encode(0x17, Buffer.from(utcTime(genTime)))),
    attribute(OID.messageDigest, octetString(sha256Bytes(info))),
    attribute(OID.signingCertificateV2, sequence(sequence(essCertIdV2))),
  );
  // Signed as SET OF, carried as [0] IMPLICIT (RFC 5652 §5.4).
  const carried = Buffer.concat([Buffer.from([0xa0]), attributes.subarray(1)]);
  return sequence(
    integer(1),
    issuerAndSerialNumber,
    SHA256_ALGORITHM,
    carried,
    sequence(oid(OID.ecdsaWithSha256)),
    encode(TAG.octetString, signSha256(key, attributes)),
  );
}

function attribute(type: string, value: Buffer): Buffer {
  return sequence(oid(type), setOf(value));
}

function utcTime(date: Date): string {
  return `${date.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`;
}
