import { gunzip, readTar, treeFiles } from '@gitless/artifact';
import { sha256 } from '@gitless/core';
import { type Manifest, MEDIA_TYPE, parseManifest, type RegistryClient } from '@gitless/oci';

/** Documents by path: what a promotion would add, remove and change in the clusters. */
export interface ContentChanges {
  readonly added: string[];
  readonly removed: string[];
  readonly changed: string[];
}

/** An uncompressed content layer larger than this is not compared. */
const MAX_CONTENT_BYTES = 512 * 1024 * 1024;

/** Compares the content layers of two artifacts file by file; rendered trees hold one document a file. */
export function compareContent(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ContentChanges {
  return {
    added: [...after.keys()].filter((path) => !before.has(path)).sort(),
    removed: [...before.keys()].filter((path) => !after.has(path)).sort(),
    changed: [...after]
      .filter(([path, digest]) => before.has(path) && before.get(path) !== digest)
      .map(([path]) => path)
      .sort(),
  };
}

/** Path → digest of every file in an artifact's content layer, which is the first one, as Flux reads it. */
export async function contentFiles(
  client: RegistryClient,
  repository: string,
  manifest: Uint8Array,
): Promise<Map<string, string>> {
  const layer = contentLayer(parseManifest(manifest, `a manifest in ${repository}`));
  if (layer === undefined) {
    return new Map();
  }
  const tar = gunzip(await client.getBlob(repository, layer), MAX_CONTENT_BYTES);
  return new Map(treeFiles(readTar(tar)).map((file) => [file.path, sha256(file.content)]));
}

function contentLayer({ layers }: Manifest) {
  return layers[0]?.mediaType === MEDIA_TYPE.fluxContent ? layers[0] : undefined;
}
