import { describe, expect, it } from 'vitest';
import { EMPTY_CONFIG, referrerManifest } from './bundle-manifest.ts';
import { descriptorOf } from './descriptor.ts';
import { MANIFEST_MAX_BYTES, parseIndex, parseManifest } from './manifest.ts';
import { MEDIA_TYPE } from './media-types.ts';

const layer = descriptorOf(MEDIA_TYPE.sigstoreBundle, Buffer.from('bundle'));
const subject = { ...descriptorOf(MEDIA_TYPE.imageManifest, Buffer.from('subject')), annotations: { a: 'b' } };

function bytesOf(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

describe('parseManifest', () => {
  const manifest = { schemaVersion: 2, config: EMPTY_CONFIG.descriptor, layers: [layer] };

  it('ignores members that it does not know', () => {
    expect(parseManifest(bytesOf({ ...manifest, future: 1 }), 'x')).toEqual(manifest);
  });

  it.each([
    ['a document that is an index as well', { ...manifest, manifests: [] }],
    ['another kind', { ...manifest, mediaType: MEDIA_TYPE.imageIndex }],
    ['a digest that is none', { ...manifest, layers: [{ ...layer, digest: 'sha256:../../etc' }] }],
    ['a negative size', { ...manifest, layers: [{ ...layer, size: -1 }] }],
    ['annotations that are not text', { ...manifest, annotations: { a: 1 } }],
    ['schema version 1', { ...manifest, schemaVersion: 1 }],
    ['no object', null],
  ])('refuses %s', (_name, value) => {
    expect(() => parseManifest(bytesOf(value), 'x')).toThrow(/x is not what it should be \[BAD_MANIFEST\]/);
  });

  it('refuses what is no JSON and what is too large', () => {
    expect(() => parseManifest(Buffer.from('<html>'), 'x')).toThrow(/BAD_MANIFEST/);
    expect(() => parseManifest(Buffer.alloc(MANIFEST_MAX_BYTES + 1, ' '), 'x')).toThrow(/BAD_MANIFEST/);
  });
});

describe('parseIndex', () => {
  it('takes an index with the empty artifact type that early tools wrote, and refuses a manifest', () => {
    const index = { schemaVersion: 2, manifests: [{ ...layer, artifactType: '' }] };
    expect(parseIndex(bytesOf(index), 'x')).toEqual(index);
    expect(() => parseIndex(bytesOf({ ...index, layers: [] }), 'x')).toThrow(/BAD_INDEX/);
  });
});

describe('referrerManifest', () => {
  const annotations = { 'dev.sigstore.bundle.content': 'dsse-envelope' };
  const referrer = referrerManifest({ subject, artifactType: MEDIA_TYPE.sigstoreBundle, layer, annotations });

  it('has the shape that cosign writes and reads', () => {
    expect(JSON.parse(Buffer.from(referrer.bytes).toString())).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
        size: 2,
      },
      layers: [layer],
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
      annotations,
    });
  });

  it('describes itself as an index lists it', () => {
    expect(referrer.descriptor).toEqual({
      ...descriptorOf(MEDIA_TYPE.imageManifest, referrer.bytes),
      artifactType: MEDIA_TYPE.sigstoreBundle,
      annotations,
    });
    expect(parseManifest(referrer.bytes, 'x').subject?.digest).toBe(subject.digest);
  });
});
