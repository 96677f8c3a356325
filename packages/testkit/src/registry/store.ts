import { type Digest, sha256 } from '@gitless/core';
import type { TagWrite } from './types.ts';

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly subject: Digest | undefined;
  /** Of the manifest, else the media type of its config (distribution-spec "Listing Referrers"). */
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

export interface Repository {
  readonly blobs: Set<Digest>;
  readonly manifests: Map<Digest, StoredManifest>;
  readonly tags: Map<string, Digest>;
}

export interface Upload {
  readonly repository: string;
  content: Buffer;
}

/** Everything that the registry knows. Blobs are kept once; a repository says which of them it holds. */
export interface Store {
  readonly repositories: Map<string, Repository>;
  readonly blobs: Map<Digest, Uint8Array>;
  readonly uploads: Map<string, Upload>;
  readonly tagHistory: TagWrite[];
}

export function createStore(): Store {
  return { repositories: new Map(), blobs: new Map(), uploads: new Map(), tagHistory: [] };
}

/** The repository `name`, made on first use as registries do on the first push. */
export function openRepository(store: Store, name: string): Repository {
  const known = store.repositories.get(name);
  if (known !== undefined) {
    return known;
  }
  const repository: Repository = { blobs: new Set(), manifests: new Map(), tags: new Map() };
  store.repositories.set(name, repository);
  return repository;
}

export function addBlob(store: Store, repository: string, content: Uint8Array): Digest {
  const digest = sha256(content);
  store.blobs.set(digest, content);
  openRepository(store, repository).blobs.add(digest);
  return digest;
}

/** The content of a blob, if this repository holds it. */
export function findBlob(store: Store, repository: string, digest: Digest): Uint8Array | undefined {
  return store.repositories.get(repository)?.blobs.has(digest) === true ? store.blobs.get(digest) : undefined;
}

/** Adds a manifest and, when it was pushed by tag, writes the tag last. */
export function addManifest(store: Store, name: string, manifest: StoredManifest, tag: string | undefined): void {
  const repository = openRepository(store, name);
  if (!repository.manifests.has(manifest.digest)) {
    repository.manifests.set(manifest.digest, manifest);
  }
  if (tag !== undefined) {
    repository.tags.set(tag, manifest.digest);
    store.tagHistory.push({ repository: name, tag, digest: manifest.digest });
  }
}
