import { canonicalJson } from '@gitless/core';
import { type Descriptor, descriptorOf } from './descriptor.ts';
import { MEDIA_TYPE } from './media-types.ts';

const EMPTY_BYTES = new TextEncoder().encode('{}');

/** The empty descriptor and its content `{}` (image-spec `manifest.md`, "Guidance for an Empty Descriptor"). */
export const EMPTY_CONFIG: { readonly bytes: Uint8Array; readonly descriptor: Descriptor } = {
  bytes: EMPTY_BYTES,
  descriptor: descriptorOf(MEDIA_TYPE.emptyConfig, EMPTY_BYTES),
};

export interface Referrer {
  /** What it says something about: media type, digest and size only are written. */
  readonly subject: Descriptor;
  readonly artifactType: string;
  readonly layer: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The manifest that carries one layer as a referrer of `subject`, in the shape that cosign v3 writes
 * (cosign `pkg/oci/remote/write.go`: the empty config names the artifact type too). Equal input, equal bytes.
 * The returned descriptor has artifact type and annotations, as a referrers index lists it.
 */
export function referrerManifest(referrer: Referrer): { bytes: Uint8Array; descriptor: Descriptor } {
  const { subject, artifactType, layer, annotations } = referrer;
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.imageManifest,
    artifactType,
    config: { ...EMPTY_CONFIG.descriptor, artifactType },
    layers: [layer],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations,
  };
  const bytes = new TextEncoder().encode(canonicalJson(manifest));
  const descriptor = {
    ...descriptorOf(MEDIA_TYPE.imageManifest, bytes),
    artifactType,
    annotations: { ...annotations },
  };
  return { bytes, descriptor };
}
