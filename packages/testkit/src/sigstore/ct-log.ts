import { decodeSequence, octetString } from './der.ts';
import { generateSigningKey, type SigningKey, sha256Bytes, signSha256 } from './keys.ts';
import { Extension } from './x509.ts';

const SCT_LIST = '1.3.6.1.4.1.11129.2.4.2';

/** A certificate transparency log, as far as Fulcio uses one: it promises, nobody asks it for proofs. */
export interface CtLog {
  readonly key: SigningKey;
  /**
   * The extension with one signed certificate timestamp for the certificate that is `certificate` (DER) plus this
   * extension. A wrong one names this log and is signed by another key.
   */
  timestampExtension(certificate: Buffer, issuerSpki: Uint8Array, at: Date, wrong: boolean): Extension;
}

/** A log with a fresh key. */
export function createCtLog(): CtLog {
  const key = generateSigningKey();
  return {
    key,
    timestampExtension: (certificate, issuerSpki, at, wrong) => {
      const timestamp = uint(8, BigInt(at.getTime()));
      const toSign = signedData(timestamp, tbsCertificate(certificate), issuerSpki);
      const signature = signSha256(wrong ? generateSigningKey() : key, toSign);
      const sct = Buffer.concat([V1, key.id, timestamp, NO_EXTENSIONS, SHA256_ECDSA, vector(2, signature)]);
      return new Extension(SCT_LIST, false, octetString(vector(2, vector(2, sct))));
    },
  };
}

const V1 = uint(1, 0n);
const CERTIFICATE_TIMESTAMP = uint(1, 0n);
const PRECERT_ENTRY = uint(2, 1n);
const NO_EXTENSIONS = uint(2, 0n);
const SHA256_ECDSA = Buffer.from([4, 3]);

/** RFC 6962 §3.2, the digitally-signed struct of a precertificate entry. */
function signedData(timestamp: Buffer, tbs: Buffer, issuerSpki: Uint8Array): Buffer {
  const preCert = [sha256Bytes(issuerSpki), vector(3, tbs)];
  return Buffer.concat([V1, CERTIFICATE_TIMESTAMP, timestamp, PRECERT_ENTRY, ...preCert, NO_EXTENSIONS]);
}

function tbsCertificate(certificate: Buffer): Buffer {
  const [tbs] = decodeSequence(certificate);
  if (tbs === undefined) {
    throw new Error('a certificate without TBSCertificate');
  }
  return tbs.raw;
}

/** TLS presentation language (RFC 8446 §3.4): a vector with a length of `lengthBytes`. */
function vector(lengthBytes: number, content: Buffer): Buffer {
  return Buffer.concat([uint(lengthBytes, BigInt(content.length)), content]);
}

function uint(bytes: number, value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');
}
