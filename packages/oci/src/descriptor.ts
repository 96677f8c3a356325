import { type Digest, isDigest, sha256 } from '@gitless/core';
import * as v from 'valibot';

/** RFC 6838 §4.2, `type-name/subtype-name`. */
const MEDIA_TYPE_NAME = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

export const MediaTypeSchema = v.pipe(v.string(), v.regex(MEDIA_TYPE_NAME, '!wants a media type (type/subtype)'));

const DigestSchema = v.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  '!wants sha256: followed by 64 lower-case hex digits',
);

export const AnnotationsSchema = v.record(v.string(), v.string());

/** An OCI content descriptor (image-spec `descriptor.md`); members that the suite does not use are dropped. */
export const DescriptorSchema = v.object({
  mediaType: MediaTypeSchema,
  digest: DigestSchema,
  /** Bytes. */
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Any text: early writers of fallback indexes left it empty (cosign#4422). */
  artifactType: v.exactOptional(v.string()),
  annotations: v.exactOptional(AnnotationsSchema),
});

export type Descriptor = v.InferOutput<typeof DescriptorSchema>;

/** The descriptor of `bytes`, without annotations. */
export function descriptorOf(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.byteLength };
}
