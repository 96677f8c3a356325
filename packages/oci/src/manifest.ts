import { parseJsonWith, parseWith, type Source, UserError } from '@gitless/core';
import * as v from 'valibot';
import { AnnotationsSchema, DescriptorSchema, MediaTypeSchema } from './descriptor.ts';
import { MEDIA_TYPE } from './media-types.ts';

/** Manifests and indexes: the size that every registry accepts and some enforce (distribution-spec, "Pushing manifests"). */
export const MANIFEST_MAX_BYTES = 4 * 1024 * 1024;

/** An image manifest (image-spec `manifest.md`). Unknown members are ignored, as the specification asks of readers. */
export const ManifestSchema = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.exactOptional(v.literal(MEDIA_TYPE.imageManifest)),
  artifactType: v.exactOptional(MediaTypeSchema),
  config: DescriptorSchema,
  layers: v.array(DescriptorSchema),
  subject: v.exactOptional(DescriptorSchema),
  annotations: v.exactOptional(AnnotationsSchema),
});

/** An image index (image-spec `image-index.md`). Unknown members are ignored. */
export const IndexSchema = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.exactOptional(v.literal(MEDIA_TYPE.imageIndex)),
  manifests: v.array(DescriptorSchema),
  annotations: v.exactOptional(AnnotationsSchema),
});

export type Manifest = v.InferOutput<typeof ManifestSchema>;
export type Index = v.InferOutput<typeof IndexSchema>;

/** Image-spec `manifest.md`, "mediaType": a document with the members of both kinds means one thing here and another there. */
function documentWithout(foreign: readonly string[]) {
  return v.pipe(
    v.record(v.string(), v.unknown()),
    v.check(
      (document) => foreign.every((member) => !Object.hasOwn(document, member)),
      `!mixes the members of a manifest and of an index (${foreign.join(', ')})`,
    ),
  );
}

const ManifestDocument = documentWithout(['manifests']);
const IndexDocument = documentWithout(['config', 'layers']);

const NOT_OURS = 'check that the digest or tag is of what this suite published, and who wrote it';

/** Reads an image manifest of at most 4 MiB. Throws `BAD_MANIFEST`; `where` names its origin. */
export function parseManifest(bytes: Uint8Array, where: string): Manifest {
  const source = { code: 'BAD_MANIFEST', where, fix: NOT_OURS };
  requireSize(source, bytes);
  return parseWith(ManifestSchema, parseJsonWith(ManifestDocument, bytes, source), source);
}

/** Reads an image index of at most 4 MiB. Throws `BAD_INDEX`; `where` names its origin. */
export function parseIndex(bytes: Uint8Array, where: string): Index {
  const source = { code: 'BAD_INDEX', where, fix: NOT_OURS };
  requireSize(source, bytes);
  return parseWith(IndexSchema, parseJsonWith(IndexDocument, bytes, source), source);
}

function requireSize({ code, where, fix }: Source, bytes: Uint8Array): void {
  if (bytes.byteLength > MANIFEST_MAX_BYTES) {
    throw new UserError({
      code,
      what: `${where} has ${bytes.byteLength} bytes`,
      why: `registries take at most ${MANIFEST_MAX_BYTES} bytes`,
      fix: fix ?? NOT_OURS,
    });
  }
}
