import { formatError, isDigest, sha256 } from '@gitless/core';
import { OCI_IMAGE, type ParsedManifest, parseManifest } from './manifest-schema.ts';
import { errors, fail, notAllowed, notFound, type Reply, reply } from './reply.ts';
import { isTag, type RegistryRequest } from './route.ts';
import { addManifest, findBlob, type Store, type StoredManifest } from './store.ts';
import type { RegistryOptions } from './types.ts';

/** Registries may refuse manifests above 4 MiB (distribution-spec "Pushing Manifests"); distribution, Zot and Harbor do. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** HEAD, GET, PUT and DELETE of a manifest by tag or digest (distribution-spec end-3, end-7, end-9). */
export function handleManifest(
  store: Store,
  options: RegistryOptions,
  repository: string,
  reference: string,
  request: RegistryRequest,
): Reply {
  if (!isDigest(reference) && !isTag(reference)) {
    return reference.includes(':')
      ? fail(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content', reference)
      : notFound();
  }
  switch (request.method) {
    case 'HEAD':
    case 'GET':
      return getManifest(store, repository, reference, request);
    case 'PUT':
      return putManifest(store, options, repository, reference, request);
    case 'DELETE':
      return deleteManifest(store, repository, reference);
    default:
      return notAllowed('DELETE', 'GET', 'HEAD', 'PUT');
  }
}

/**
 * An image that Accept does not list is "unknown", a wildcard included; an index is given to everybody: what distribution
 * v3 does, and what clients trip over.
 */
function getManifest(store: Store, repository: string, reference: string, request: RegistryRequest): Reply {
  const found = findManifest(store, repository, reference);
  if (found === undefined) {
    return unknownManifest(repository, reference);
  }
  const etag = `"${found.digest}"`;
  if (request.headers['if-none-match'] === etag) {
    return reply(304);
  }
  const accepted = (request.headers['accept'] ?? '').split(',').map((entry) => entry.split(';')[0]?.trim());
  if (found.mediaType === OCI_IMAGE && !accepted.includes(OCI_IMAGE)) {
    return fail(404, 'MANIFEST_UNKNOWN', 'OCI manifest found, but accept header does not support OCI manifests');
  }
  const headers = { 'content-type': found.mediaType, 'docker-content-digest': found.digest, etag };
  return reply(200, headers, found.bytes);
}

function unknownManifest(name: string, reference: string): Reply {
  const detail = isDigest(reference)
    ? `unknown manifest name=${name} revision=${reference}`
    : `unknown tag=${reference}`;
  return fail(404, 'MANIFEST_UNKNOWN', 'manifest unknown', detail);
}

function findManifest(store: Store, name: string, reference: string): StoredManifest | undefined {
  const repository = store.repositories.get(name);
  const digest = isDigest(reference) ? reference : repository?.tags.get(reference);
  return digest === undefined ? undefined : repository?.manifests.get(digest);
}

function putManifest(
  store: Store,
  options: RegistryOptions,
  repository: string,
  reference: string,
  request: RegistryRequest,
): Reply {
  const bytes = request.body;
  if (bytes.length > MAX_MANIFEST_BYTES) {
    return fail(400, 'MANIFEST_INVALID', 'manifest invalid', 'http: request body too large');
  }
  const digest = sha256(bytes);
  if (isDigest(reference) && reference !== digest) {
    return fail(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
  }
  let parsed: ParsedManifest;
  try {
    parsed = parseManifest(bytes, request.headers['content-type'] ?? '');
  } catch (error) {
    return fail(400, 'MANIFEST_INVALID', 'manifest invalid', formatError(error));
  }
  const missing = missingContent(store, repository, parsed);
  if (missing.length > 0) {
    const list = missing.map((unknown) => ({
      code: 'MANIFEST_BLOB_UNKNOWN' as const,
      message: 'blob unknown to registry',
      detail: unknown,
    }));
    return errors(400, list);
  }
  const tag = isDigest(reference) ? undefined : reference;
  if (tag !== undefined && options.immutableTags?.(tag) === true && findManifest(store, repository, tag)) {
    const message = `The image tag '${tag}' already exists in the '${repository}' repository and cannot be overwritten because the repository is immutable.`;
    return fail(400, 'TAG_INVALID', message);
  }
  const { mediaType, artifactType, annotations } = parsed;
  const subject = parsed.subject?.digest;
  addManifest(store, repository, { digest, mediaType, bytes, subject, artifactType, annotations }, tag);
  return reply(201, {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(subject === undefined || options.referrers === false ? {} : { 'oci-subject': subject }),
  });
}

/** What a manifest names and its repository does not hold. A subject may be missing (distribution-spec "Pushing Manifests with Subject"). */
function missingContent(store: Store, repository: string, manifest: ParsedManifest): string[] {
  const known = store.repositories.get(repository)?.manifests;
  return [
    ...manifest.blobs.filter((digest) => findBlob(store, repository, digest) === undefined),
    ...manifest.manifests.filter((digest) => known?.has(digest) !== true),
  ];
}

/** By digest the manifest and all of its tags go, by tag only the tag (distribution-spec "Deleting tags", "Deleting Manifests"). */
function deleteManifest(store: Store, name: string, reference: string): Reply {
  const repository = store.repositories.get(name);
  if (repository === undefined || findManifest(store, name, reference) === undefined) {
    return unknownManifest(name, reference);
  }
  if (!isDigest(reference)) {
    repository.tags.delete(reference);
    return reply(202);
  }
  repository.manifests.delete(reference);
  for (const [tag, digest] of repository.tags) {
    if (digest === reference) {
      repository.tags.delete(tag);
    }
  }
  return reply(202);
}
