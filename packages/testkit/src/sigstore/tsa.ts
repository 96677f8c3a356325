import { type Answer, jsonAnswer, type Received } from '../oidc/loopback-server.ts';
import { type CertificateAuthority, EKU, randomSerialNumber } from './ca.ts';
import { decodeSequence, type Element, oid, sequence, TAG } from './der.ts';
import { generateSigningKey, type SigningKey } from './keys.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { bytesAt, parseBody, textAt, valueAt } from './requests.ts';
import {
  HASH_ALGORITHMS,
  isHashAlgorithm,
  messageImprint,
  SHA256,
  type TimestampSigner,
  timestampResponse,
} from './timestamp-token.ts';
import { ExtendedKeyUsageExtension } from './x509.ts';

/** timestamp-authority's own policy, used when a request names none. */
const DEFAULT_POLICY = '1.3.6.1.4.1.57264.2';
const FIVE_YEARS_MS = 5 * 365 * 24 * 3600 * 1000;

export interface TimestampAuthority {
  /** Leaf, intermediate, root: the order in a trusted root. */
  readonly chain: readonly Buffer[];
  /** `POST /api/v1/timestamp` of sigstore/timestamp-authority v2 (pkg/api/timestamp.go), of DER queries SHA-256 only. */
  timestamp(request: Received): Answer;
}

interface TimestampQuery {
  readonly messageImprint: Buffer;
  /** DER. */
  readonly policy: Buffer;
  readonly nonce?: bigint;
  readonly embedCertificate: boolean;
}

/** A key for timestamps, with the certificate that says so. */
export interface TimestampCertificate {
  readonly key: SigningKey;
  /** Leaf, intermediate, root: the order in a trusted root. */
  readonly chain: readonly [Buffer, Buffer, Buffer];
}

/** Lets `authority` issue a leaf for a fresh key, valid for five years from `notBefore`. */
export async function issueTimestampCertificate(
  authority: CertificateAuthority,
  notBefore: Date,
): Promise<TimestampCertificate> {
  const key = generateSigningKey();
  const leaf = await authority.issueLeaf({
    subject: 'O=sigstore.test, CN=timestamp authority',
    publicKey: key.spki,
    serialNumber: randomSerialNumber(),
    notBefore,
    notAfter: new Date(notBefore.getTime() + FIVE_YEARS_MS),
    // Critical and the only one (RFC 3161 §2.3).
    extendedKeyUsage: new ExtendedKeyUsageExtension([EKU.timeStamping], true),
    extensions: [],
  });
  return { key, chain: [leaf, authority.intermediate, authority.root] };
}

export function createTimestampAuthority(
  { key, chain }: TimestampCertificate,
  now: () => Date,
  misbehaviour: Misbehaviour,
): TimestampAuthority {
  const [certificate] = chain;
  const signer: TimestampSigner = { key, certificate, issuerAndSerialNumber: issuerAndSerialNumber(certificate) };

  return {
    chain,
    timestamp: (request) => {
      const query = readQuery(request);
      if ('status' in query) {
        return query;
      }
      const { embedCertificate, ...content } = query;
      const stamped = { ...content, serialNumber: BigInt(`0x${randomSerialNumber()}`), genTime: now() };
      const by = misbehaviour.wrongTimestamp ? { ...signer, key: generateSigningKey() } : signer;
      return {
        status: 200,
        headers: { 'content-type': 'application/timestamp-reply' },
        body: timestampResponse(stamped, by, embedCertificate),
      };
    },
  };
}

/** timestamp-authority keeps its content type when it refuses with JSON. */
function refusal(message: string): Answer {
  return jsonAnswer(400, { code: 400, message }, { 'content-type': 'application/timestamp-reply' });
}

const PARSERS: Readonly<Record<string, (body: Buffer) => TimestampQuery | Answer>> = {
  'application/timestamp-query': parseDerQuery,
  'application/json': parseJsonQuery,
};

function readQuery({ headers, body }: Received): TimestampQuery | Answer {
  const contentType = headers['content-type'] ?? 'application/octet-stream';
  const parse = Object.hasOwn(PARSERS, contentType) ? PARSERS[contentType] : undefined;
  if (parse === undefined) {
    const allowed = Object.keys(PARSERS).join(' ');
    return jsonAnswer(415, {
      code: 415,
      message: `unsupported media type "${contentType}", only [${allowed}] are allowed`,
    });
  }
  if (body.length === 0) {
    return jsonAnswer(422, { code: 602, message: 'request in body is required' });
  }
  try {
    return parse(body);
  } catch {
    return refusal(UNREADABLE);
  }
}

const UNREADABLE = 'Error generating timestamp response';

/** Sigstore's JSON form: `{artifactHash, hashAlgorithm, certificates?, nonce?, tsaPolicyOID?}`. */
function parseJsonQuery(body: Buffer): TimestampQuery | Answer {
  const json = parseBody(body);
  const algorithm = textAt(json, 'hashAlgorithm').toLowerCase();
  if (algorithm === 'sha1') {
    return refusal('Weak hash algorithm in timestamp request');
  }
  if (!isHashAlgorithm(algorithm)) {
    return refusal(UNREADABLE);
  }
  const digest = bytesAt(json, 'artifactHash');
  if (digest.length !== HASH_ALGORITHMS[algorithm].bytes) {
    return refusal('Message digest has incorrect length for specified algorithm');
  }
  // A nonce has up to 64 bits, more than JSON.parse keeps.
  const nonce = /"nonce"\s*:\s*(\d+)/.exec(body.toString())?.[1];
  const policy = textAt(json, 'tsaPolicyOID');
  if (policy !== '' && policy !== DEFAULT_POLICY) {
    return refusal('unaccepted policy: requested TSA policy is not supported by the TSA');
  }
  return {
    messageImprint: messageImprint(digest, algorithm),
    policy: oid(DEFAULT_POLICY),
    embedCertificate: valueAt(json, 'certificates') === true,
    ...(nonce === undefined ? {} : { nonce: BigInt(nonce) }),
  };
}

/** RFC 3161 §2.4.1 TimeStampReq. */
function parseDerQuery(body: Buffer): TimestampQuery | Answer {
  const [version, messageImprint, ...optional] = decodeSequence(body);
  if (version?.tag !== TAG.integer || messageImprint === undefined || !isSha256Imprint(messageImprint)) {
    return refusal(UNREADABLE);
  }
  const [policy, nonce, certReq] = [TAG.oid, TAG.integer, TAG.boolean].map((tag) =>
    optional.find((e) => e.tag === tag),
  );
  return {
    messageImprint: messageImprint.raw,
    policy: policy?.raw ?? oid(DEFAULT_POLICY),
    embedCertificate: certReq?.content[0] === 0xff,
    ...(nonce === undefined ? {} : { nonce: BigInt(`0x${nonce.content.toString('hex')}`) }),
  };
}

function isSha256Imprint(imprint: Element): boolean {
  const [algorithm, digest] = decodeSequence(imprint.raw);
  // The parameters are NULL or absent (RFC 5754 §2).
  const [name] = algorithm === undefined ? [] : decodeSequence(algorithm.raw);
  return name?.raw.equals(SHA256) === true && digest?.tag === TAG.octetString && digest.content.length === 32;
}

/** RFC 5652 §10.2.4, from the certificate's own bytes. */
function issuerAndSerialNumber(certificate: Buffer): Buffer {
  const [tbs] = decodeSequence(certificate);
  const [, serialNumber, , issuer] = tbs === undefined ? [] : decodeSequence(tbs.raw);
  if (serialNumber === undefined || issuer === undefined) {
    throw new Error('not a certificate');
  }
  return sequence(issuer.raw, serialNumber.raw);
}
