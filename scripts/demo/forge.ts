import { gunzipSync, gzipSync } from 'node:zlib';
import { type Digest, isDigest, parseJsonWith, sha256 } from '@gitless/core';
import type { TestRegistry } from '@gitless/testkit';
import * as v from 'valibot';
import { expect } from './expect.ts';

const CONTENT = 'application/vnd.cncf.flux.content.v1.tar+gzip';

const DescriptorSchema = v.looseObject({ mediaType: v.string(), digest: v.string(), size: v.number() });
/** Everything else in the manifest stays as it is. */
const ManifestSchema = v.looseObject({
  mediaType: v.string(),
  config: DescriptorSchema,
  layers: v.array(DescriptorSchema),
  subject: v.exactOptional(DescriptorSchema),
});
type Manifest = v.InferOutput<typeof ManifestSchema>;

export interface Forgery {
  readonly digest: Digest;
  /** Genuine statements that were hung onto it. */
  readonly statements: number;
}

/**
 * What someone with write access to a registry can do: copies the artifact `digest` of `from` to `to`, changes one byte of its content
 * (`wanted` and `forged` differ by that), and hangs every genuine statement onto the changed copy. Talks to the registry as any client.
 */
export async function forgeCopy(
  registry: TestRegistry,
  places: { readonly from: string; readonly to: string; readonly digest: Digest },
  change: { readonly wanted: string; readonly forged: string },
): Promise<Forgery> {
  const { from, to, digest } = places;
  const stored = registry.manifests(from);
  const genuine = parse(stored.find((manifest) => manifest.digest === digest)?.bytes);
  const blob = async (content: Uint8Array) =>
    send(registry, 'POST', `${to}/blobs/uploads/?digest=${sha256(content)}`, content);

  const layers: Manifest['layers'] = [];
  for (const layer of genuine.layers) {
    const content = contentOf(registry, layer.digest);
    const copy = layer.mediaType === CONTENT ? changeOneByte(content, change) : content;
    await blob(copy);
    layers.push({ ...layer, digest: sha256(copy), size: copy.byteLength });
  }
  await blob(contentOf(registry, genuine.config.digest));
  const forged = Buffer.from(JSON.stringify({ ...genuine, layers }));
  await putManifest(registry, to, genuine.mediaType, forged);

  const subject = { mediaType: genuine.mediaType, digest: sha256(forged), size: forged.byteLength };
  const referrers = stored.filter((manifest) => manifest.subject === digest);
  for (const { bytes } of referrers) {
    const referrer = parse(bytes);
    for (const part of [referrer.config, ...referrer.layers]) {
      await blob(contentOf(registry, part.digest));
    }
    await putManifest(registry, to, referrer.mediaType, Buffer.from(JSON.stringify({ ...referrer, subject })));
  }
  return { digest: subject.digest, statements: referrers.length };
}

function changeOneByte(archive: Uint8Array, change: { readonly wanted: string; readonly forged: string }): Uint8Array {
  const tar = gunzipSync(archive);
  const at = tar.indexOf(change.wanted);
  expect(at !== -1, `the artifact does not hold ${change.wanted}`);
  tar.write(change.forged, at);
  return gzipSync(tar);
}

function parse(bytes: Uint8Array | undefined): Manifest {
  expect(bytes !== undefined, 'the registry does not hold the artifact');
  return parseJsonWith(ManifestSchema, bytes, { code: 'BAD_MANIFEST', where: 'a manifest in the registry' });
}

function contentOf(registry: TestRegistry, digest: string): Uint8Array {
  const content = isDigest(digest) ? registry.blob(digest) : undefined;
  expect(content !== undefined, `the registry lacks ${digest}`);
  return content;
}

async function putManifest(
  registry: TestRegistry,
  repository: string,
  mediaType: string,
  bytes: Buffer,
): Promise<void> {
  await send(registry, 'PUT', `${repository}/manifests/${sha256(bytes)}`, bytes, mediaType);
}

async function send(
  registry: TestRegistry,
  method: string,
  path: string,
  body: Uint8Array,
  contentType = 'application/octet-stream',
): Promise<void> {
  const response = await fetch(`http://${registry.host}/v2/${path}`, {
    method,
    headers: { 'content-type': contentType },
    body: Buffer.from(body),
  });
  expect(response.status === 201, `the registry answered ${response.status} to ${method} ${path}`);
}
