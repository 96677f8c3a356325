import { type Digest, sha256 } from '@gitless/core';
import { type Descriptor, descriptorOf, MEDIA_TYPE } from '@gitless/oci';
import { gzip } from './gzip.ts';
import { type TreeFile, treeEntries } from './tar-entry.ts';
import { writeTar } from './write-tar.ts';

/** Content and what names it. */
export interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/**
 * The config that the Flux CLI writes: go-containerregistry's empty image config, the same for every artifact. Flux
 * never reads it; a registry or a tool that looks at it sees what it sees from Flux (flux2 2.9 with
 * go-containerregistry 0.21.6).
 */
const FLUX_CONFIG =
  '{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"layers","diff_ids":null},"config":{}}';

/**
 * Packs `files` below `pathPrefix` (`web/staging`; `''` for the archive's root) into the layer that Flux extracts.
 * `contentDigest` is the SHA-256 of the uncompressed archive: equal for equal trees, whatever compressed them.
 * Throws `TREE_REFUSED` for paths that break the rules, the prefix included.
 */
export function packContent(
  files: readonly TreeFile[],
  pathPrefix: string,
): { readonly layer: Blob; readonly contentDigest: Digest } {
  const placed = pathPrefix === '' ? files : files.map((file) => ({ ...file, path: `${pathPrefix}/${file.path}` }));
  const tar = writeTar(treeEntries(placed));
  return { layer: blob(MEDIA_TYPE.fluxContent, gzip(tar)), contentDigest: sha256(tar) };
}

/**
 * The manifest of a Flux artifact: the content as layer 0, which is the one that Flux reads, and the SBOM as layer 1
 * (fluxcd/pkg `oci/push.go`; image-spec `manifest.md`). Neither artifactType nor subject, fields in the order that Flux
 * writes, annotations sorted, no trailing newline. Where an annotation has `<`, `>` or `&` the bytes differ from Go's,
 * which escapes them; both are the same JSON, and the digest is over ours.
 */
export function fluxManifest(parts: {
  readonly layer: Blob;
  readonly sbom: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
}): { readonly manifest: Blob; readonly config: Blob; readonly sbomLayer: Blob } {
  const config = blob(MEDIA_TYPE.fluxConfig, utf8(FLUX_CONFIG));
  const sbomLayer = blob(MEDIA_TYPE.cyclonedx, parts.sbom);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.imageManifest,
    config: ordered(config.descriptor),
    layers: [ordered(parts.layer.descriptor), ordered(sbomLayer.descriptor)],
    annotations: Object.fromEntries(Object.entries(parts.annotations).sort(([a], [b]) => (a < b ? -1 : 1))),
  });
  return { manifest: blob(MEDIA_TYPE.imageManifest, utf8(manifest)), config, sbomLayer };
}

function ordered({ mediaType, size, digest }: Descriptor): object {
  return { mediaType, size, digest };
}

function blob(mediaType: string, bytes: Uint8Array): Blob {
  return { descriptor: descriptorOf(mediaType, bytes), bytes };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
