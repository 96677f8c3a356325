import { createHash, generateKeyPairSync, type KeyObject, sign, type webcrypto } from 'node:crypto';

/** An ECDSA P-256 key pair of one of the servers. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
  /** SHA-256 of the SPKI: a log's id (RFC 6962 §3.2), its first four bytes the key id in a checkpoint. */
  readonly id: Buffer;
}

/** A fresh key pair; nothing here is ever stored. */
export function generateSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return { privateKey, spki, id: sha256Bytes(spki) };
}

/** ECDSA with SHA-256, DER-encoded. */
export function signSha256(key: SigningKey, data: Uint8Array): Buffer {
  return sign('sha256', data, key.privateKey);
}

/** The private key as `@peculiar/x509` takes it. */
export function toCryptoKey(key: SigningKey): webcrypto.CryptoKey {
  return key.privateKey.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
}

/** SHA-256 of all parts, one after the other; 32 bytes. */
export function sha256Bytes(...data: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of data) {
    hash.update(part);
  }
  return hash.digest();
}
