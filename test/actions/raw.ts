import { createHash, verify, X509Certificate } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { StoredManifest, TestRegistry } from '@gitless/testkit';

// Readers of their own, by the specifications: a defect that writer and reader of the suite share must show here.

/** The member at `path`; an Error names the first one that is not there. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((holder: unknown, key) => {
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, key)) {
      throw new Error(`no ${path.join('.')} in ${JSON.stringify(value)}`);
    }
    return Reflect.get(holder, key);
  }, value);
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  if (typeof found !== 'string') {
    throw new Error(`${path.join('.')} is no text`);
  }
  return found;
}

export function listAt(value: unknown, ...path: readonly (string | number)[]): unknown[] {
  const found = at(value, ...path);
  if (!Array.isArray(found)) {
    throw new Error(`${path.join('.')} is no list`);
  }
  return found;
}

export function json(bytes: Uint8Array | string): unknown {
  return JSON.parse(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'));
}

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The manifest of this digest or tag as the registry holds it. */
export function storedManifest(registry: TestRegistry, repository: string, reference: string): StoredManifest {
  const digest = registry.tags(repository).get(reference) ?? reference;
  const found = registry.manifests(repository).find((manifest) => manifest.digest === digest);
  if (found === undefined) {
    throw new Error(`${repository} does not hold ${reference}`);
  }
  return found;
}

/** The content of a blob, checked against the digest and the size of its descriptor. */
export function blobOf(registry: TestRegistry, descriptor: unknown): Buffer {
  const bytes = registry.blob(textAt(descriptor, 'digest'));
  if (bytes === undefined || bytes.length !== at(descriptor, 'size') || digestOf(bytes) !== at(descriptor, 'digest')) {
    throw new Error(`the registry does not hold ${JSON.stringify(descriptor)}`);
  }
  return Buffer.from(bytes);
}

/** Members of a gzip header (RFC 1952 §2.3) and what is inside. */
export function readGzip(bytes: Buffer): { header: string; content: Buffer } {
  return { header: bytes.subarray(0, 10).toString('hex'), content: gunzipSync(bytes) };
}

export interface TarHeader {
  readonly name: string;
  readonly mode: string;
  readonly owner: string;
  readonly mtime: string;
  readonly type: string;
  readonly magic: string;
  readonly content: string;
}

/** POSIX ustar without extensions; the end is two blocks of zeros and nothing after them. */
export function readUstar(tar: Buffer): TarHeader[] {
  const entries: TarHeader[] = [];
  let offset = 0;
  while (tar[offset] !== 0) {
    const block = tar.subarray(offset, offset + 512);
    const field = (start: number, length: number) =>
      block
        .subarray(start, start + length)
        .toString('latin1')
        .replace(/\0.*$/s, '');
    const size = Number.parseInt(field(124, 12), 8);
    const prefix = field(345, 155);
    entries.push({
      name: prefix === '' ? field(0, 100) : `${prefix}/${field(0, 100)}`,
      mode: field(100, 8),
      owner: [field(108, 8), field(116, 8), field(265, 32), field(297, 32)].join(':'),
      mtime: field(136, 12),
      type: field(156, 1),
      magic: block.subarray(257, 265).toString('latin1'),
      content: tar.subarray(offset + 512, offset + 512 + size).toString('utf8'),
    });
    offset += 512 + Math.ceil(size / 512) * 512;
  }
  if (!tar.subarray(offset).equals(Buffer.alloc(1024))) {
    throw new Error('the archive does not end with two blocks of zeros');
  }
  return entries;
}

/** A referrer's manifest and the Sigstore bundle inside. */
export interface RawReferrer {
  readonly digest: string;
  readonly manifest: unknown;
  readonly bundle: unknown;
  readonly statement: unknown;
  readonly predicateType: string;
  /** The URI in the certificate. */
  readonly signer: string;
  /** The DSSE signature by the key of the certificate. */
  readonly isSigned: boolean;
}

/** What refers to a digest, in the order of its arrival. */
export function referrersOf(registry: TestRegistry, repository: string, digest: string): RawReferrer[] {
  return registry
    .manifests(repository)
    .map((manifest) => ({ digest: manifest.digest, manifest: json(manifest.bytes) }))
    .filter(
      ({ manifest }) => JSON.stringify(manifest).includes('"subject"') && at(manifest, 'subject', 'digest') === digest,
    )
    .map(({ digest: own, manifest }) => ({
      digest: own,
      manifest,
      ...openBundle(blobOf(registry, at(manifest, 'layers', 0))),
    }));
}

function openBundle(bytes: Buffer): Omit<RawReferrer, 'digest' | 'manifest'> {
  const bundle = json(bytes);
  const payload = Buffer.from(textAt(bundle, 'dsseEnvelope', 'payload'), 'base64');
  const payloadType = textAt(bundle, 'dsseEnvelope', 'payloadType');
  const statement = json(payload);
  const certificate = new X509Certificate(
    Buffer.from(textAt(bundle, 'verificationMaterial', 'certificate', 'rawBytes'), 'base64'),
  );
  // Pre-authentication encoding (DSSE protocol.md).
  const signed = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ]);
  const signature = Buffer.from(textAt(bundle, 'dsseEnvelope', 'signatures', 0, 'sig'), 'base64');
  return {
    bundle,
    statement,
    predicateType: textAt(statement, 'predicateType'),
    signer: certificate.subjectAltName?.replace(/^URI:/, '') ?? '',
    isSigned: verify('sha256', signed, certificate.publicKey, signature),
  };
}
