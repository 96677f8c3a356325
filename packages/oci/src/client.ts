import type { Context, Digest } from '@gitless/core';
import { type BlobContent, fetchBlob, hasBlob, storeBlob } from './blobs.ts';
import type { Descriptor } from './descriptor.ts';
import { fetchManifest, storeManifest } from './manifests.ts';
import { fetchReferrers } from './referrers.ts';
import { type StoredReferrer, storeReferrers } from './store-referrers.ts';
import { fetchTags } from './tags.ts';
import { createTransport, type RegistryOptions } from './transport.ts';

/**
 * One registry (OCI distribution-spec 1.1). Whatever comes back was verified against its digest; "absent" is only what
 * the registry itself calls so. Everything can throw `REGISTRY_UNAUTHORIZED`, `REGISTRY_DENIED`, `REGISTRY_ERROR`,
 * `REALM_REFUSED`, `BAD_CHALLENGE`, `BAD_TOKEN_RESPONSE`, `BAD_REFERENCE`, `HTTP_UNREACHABLE` and
 * `HTTP_BODY_TOO_LARGE`; the rest is named at each member.
 */
export interface RegistryClient {
  readonly registry: string;
  /** By tag or digest; undefined when absent. Throws `MANIFEST_MISMATCH`. */
  getManifest(
    repository: string,
    reference: string,
  ): Promise<{ descriptor: Descriptor; bytes: Uint8Array } | undefined>;
  /** Exactly these bytes, by tag or digest. Throws `MANIFEST_MISMATCH`, `REGISTRY_TAG_IMMUTABLE`. */
  putManifest(repository: string, reference: string, mediaType: string, bytes: Uint8Array): Promise<void>;
  hasBlob(repository: string, digest: Digest): Promise<boolean>;
  /** Throws `BLOB_MISMATCH`, `BLOB_TOO_LARGE`, `REDIRECT_REFUSED`. */
  getBlob(repository: string, descriptor: Descriptor): Promise<Uint8Array>;
  /** `mountFrom`: a repository of the same registry that may have the blob. Throws `UPLOAD_REFUSED`, `REDIRECT_REFUSED`. */
  putBlob(repository: string, content: BlobContent, digest: Digest, mountFrom?: string): Promise<void>;
  /** Undefined when there is no such repository. Throws `BAD_TAG_LIST`, `REGISTRY_PAGING`. */
  listTags(repository: string): Promise<string[] | undefined>;
  /** Throws `BAD_INDEX`, `REFERRERS_TAG_FOREIGN`, `REGISTRY_PAGING`. */
  listReferrers(repository: string, digest: Digest): Promise<Descriptor[]>;
  /**
   * All of a subject at once, so that a list is written once; their blobs are there already.
   * Throws as `putManifest` and `listReferrers` do, and `REFERRER_NOT_LISTED`.
   */
  putReferrers(repository: string, subject: Digest, referrers: readonly StoredReferrer[]): Promise<void>;
}

/** Sends nothing yet. Throws `BAD_REFERENCE` for a registry that is not `host[:port]`, and `PLAIN_HTTP_REFUSED`. */
export function createRegistryClient(context: Context, options: RegistryOptions): RegistryClient {
  const transport = createTransport(context, options);
  return {
    registry: options.registry,
    async getManifest(repository, reference) {
      const found = await fetchManifest(transport, repository, reference);
      return found === undefined ? undefined : { descriptor: found.descriptor, bytes: found.bytes };
    },
    async putManifest(repository, reference, mediaType, bytes) {
      await storeManifest(transport, repository, { reference, mediaType, bytes });
    },
    hasBlob: (repository, digest) => hasBlob(transport, repository, digest),
    getBlob: (repository, descriptor) => fetchBlob(transport, repository, descriptor),
    putBlob: (repository, content, digest, mountFrom) =>
      storeBlob(transport, repository, { content, digest, ...(mountFrom === undefined ? {} : { mountFrom }) }),
    listTags: (repository) => fetchTags(transport, repository),
    listReferrers: (repository, digest) => fetchReferrers(transport, repository, digest),
    putReferrers: (repository, subject, referrers) =>
      storeReferrers(context, transport, repository, { subject, referrers }),
  };
}
