import type { StoredManifest, TestRegistry } from '@gitless/testkit';
import { at, digestOf, json, listAt, textAt } from './raw.ts';

// What anyone can do who may write to the registry and has no signing identity.

/** Writes these bytes under a tag, or under their digest; returns the digest. */
export async function putByHand(
  registry: TestRegistry,
  repository: string,
  manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
  tag?: string,
): Promise<string> {
  const digest = digestOf(manifest.bytes);
  const answer = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag ?? digest}`, {
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType },
    body: Buffer.from(manifest.bytes),
  });
  if (answer.status !== 201) {
    throw new Error(`the registry answered ${answer.status} to ${repository}:${tag ?? digest}`);
  }
  return digest;
}

/** Writes a blob and returns its descriptor. */
export async function putBlobByHand(registry: TestRegistry, repository: string, mediaType: string, bytes: Uint8Array) {
  const digest = digestOf(bytes);
  const base = `http://${registry.host}`;
  const session = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const url = new URL(session.headers.get('location') ?? '', base);
  url.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  const stored = await fetch(url, { method: 'PUT', headers, body: Buffer.from(bytes) });
  if (stored.status !== 201) {
    throw new Error(`the registry answered ${stored.status} to ${digest}`);
  }
  return { mediaType, digest, size: bytes.byteLength };
}

/** A manifest and its blobs from one repository to another, under its digest or a tag. */
async function copyByHand(
  registry: TestRegistry,
  from: string,
  to: string,
  manifest: StoredManifest,
  tag?: string,
): Promise<void> {
  const parsed = json(manifest.bytes);
  for (const descriptor of [at(parsed, 'config'), ...listAt(parsed, 'layers')]) {
    const query = new URLSearchParams({ mount: textAt(descriptor, 'digest'), from });
    await fetch(`http://${registry.host}/v2/${to}/blobs/uploads/?${query}`, { method: 'POST' });
  }
  await putByHand(registry, to, manifest, tag);
}

/** All that a repository holds, tags included. */
export async function mirrorByHand(registry: TestRegistry, from: string, to: string): Promise<void> {
  for (const manifest of registry.manifests(from)) {
    await copyByHand(registry, from, to, manifest);
  }
  for (const [tag, digest] of registry.tags(from)) {
    const manifest = registry.manifests(from).find((one) => one.digest === digest);
    if (manifest !== undefined) {
      await putByHand(registry, to, manifest, tag);
    }
  }
}
