import { type Digest, isDigest, parseJsonWith, parseWith } from '@gitless/core';
import * as v from 'valibot';

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const IMAGE_TYPES = [OCI_IMAGE, 'application/vnd.docker.distribution.manifest.v2+json'] as const;
const INDEX_TYPES = [OCI_INDEX, 'application/vnd.docker.distribution.manifest.list.v2+json'] as const;

const DescriptorSchema = v.looseObject({
  mediaType: v.pipe(v.string(), v.nonEmpty()),
  digest: v.custom<Digest>((value) => typeof value === 'string' && isDigest(value), '!wants a sha256 digest'),
  size: v.pipe(v.number(), v.integer(), v.minValue(0)),
});

const common = {
  schemaVersion: v.literal(2),
  mediaType: v.exactOptional(v.string()),
  artifactType: v.exactOptional(v.string()),
  subject: v.exactOptional(DescriptorSchema),
  annotations: v.exactOptional(v.record(v.string(), v.string())),
};

const absent = v.exactOptional(v.never('!must not be in a document of this kind'));

/** image-spec manifest.md. What has the members of both kinds is neither (CVE-2021-41190). */
const ImageSchema = v.looseObject({
  ...common,
  config: DescriptorSchema,
  layers: v.array(DescriptorSchema),
  manifests: absent,
});
/** image-spec image-index.md. */
const IndexSchema = v.looseObject({
  ...common,
  manifests: v.array(DescriptorSchema),
  config: absent,
  layers: absent,
});
const ContentTypeSchema = v.picklist([...IMAGE_TYPES, ...INDEX_TYPES]);

type Descriptor = v.InferOutput<typeof DescriptorSchema>;

/** What the registry needs to know of a manifest. */
export interface ParsedManifest {
  readonly mediaType: string;
  readonly subject: Descriptor | undefined;
  /** Of the manifest, else the media type of its config (distribution-spec "Listing Referrers"). */
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly blobs: readonly Digest[];
  readonly manifests: readonly Digest[];
}

/** Throws `MANIFEST_INVALID` unless `bytes` are a manifest of the type that Content-Type says, and `mediaType` inside agrees. */
export function parseManifest(bytes: Uint8Array, contentType: string): ParsedManifest {
  const code = 'MANIFEST_INVALID';
  const [named = ''] = contentType.split(';');
  const mediaType = parseWith(ContentTypeSchema, named.trim(), { code, where: 'the Content-Type header' });
  const sameType = (inside: string | undefined) =>
    parseWith(v.literal(mediaType), inside ?? mediaType, { code, where: 'mediaType, against Content-Type,' });
  if (IMAGE_TYPES.some((type) => type === mediaType)) {
    const image = parseJsonWith(ImageSchema, bytes, { code, where: 'the manifest' });
    sameType(image.mediaType);
    return {
      mediaType,
      subject: image.subject,
      artifactType: image.artifactType ?? image.config.mediaType,
      annotations: image.annotations,
      blobs: [image.config, ...image.layers].filter(isDistributable).map((descriptor) => descriptor.digest),
      manifests: [],
    };
  }
  const index = parseJsonWith(IndexSchema, bytes, { code, where: 'the manifest' });
  sameType(index.mediaType);
  return {
    mediaType,
    subject: index.subject,
    artifactType: index.artifactType,
    annotations: index.annotations,
    blobs: [],
    manifests: index.manifests.map((descriptor) => descriptor.digest),
  };
}

/** Layers that registries do not hold (image-spec layer.md "Non-Distributable Layers", and Docker's older "foreign"). */
function isDistributable({ mediaType }: Descriptor): boolean {
  return !/^application\/vnd\.(?:oci\.image\.layer\.nondistributable|docker\.image\.rootfs\.foreign)\./.test(mediaType);
}
