import { formatError, isDigest, sha256 } from '@gitless/core';
import { type ParsedManifest, parseManifest } from './manifest-schema.ts';
import { errors, fail, type Reply, reply } from './reply.ts';
import { isTag, type RegistryRequest } from './route.ts';
import { addManifest, findBlob, type Store, type StoredManifest } from './store.ts';
import type { RegistryOptions } from './types.ts';

/** Registries may refuse manifests above 4 MiB (distribution-spec "Pushing Manifests"); Zot, Harbor and distribution do. */
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
    return fail(400, reference.includes(':') ? 'DIGEST_INVALID' : 'TAG_INVALID', 'neither a digest nor a tag', {
      reference,
    });
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
      return fail(405, 'UNSUPPORTED', 'a manifest has no such method');
  }
}

/** A media type that Accept does not list is "unknown", a wildcard included: what distribution v3 does, and what clients trip over. */
function getManifest(store: Store, repository: string, reference: string, request: RegistryRequest): Reply {
  const found = findManifest(store, repository, reference);
  if (found === undefined) {
    return fail(404, 'MANIFEST_UNKNOWN', 'manifest unknown to registry', { reference });
  }
  const accepted = (request.headers['accept'] ?? '').split(',').map((entry) => entry.split(';')[0]?.trim());
  if (!accepted.includes(found.mediaType)) {
    return fail(404, 'MANIFEST_UNKNOWN', `manifest found, but the Accept header does not list ${found.mediaType}`);
  }
  return reply(200, { 'content-type': found.mediaType, 'docker-content-digest': found.digest }, found.bytes);
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
    return fail(413, 'SIZE_INVALID', `manifest is larger than ${MAX_MANIFEST_BYTES} bytes`, { size: bytes.length });
  }
  const digest = sha256(bytes);
  if (isDigest(reference) && reference !== digest) {
    return fail(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content', { digest: reference });
  }
  let parsed: ParsedManifest;
  try {
    parsed = parseManifest(bytes, request.headers['content-type'] ?? '');
  } catch (error) {
    return fail(400, 'MANIFEST_INVALID', formatError(error));
  }
  const missing = missingContent(store, repository, parsed);
  if (missing.length > 0) {
    const list = missing.map((unknown) => ({
      code: 'MANIFEST_BLOB_UNKNOWN' as const,
      message: 'manifest references content unknown to this repository',
      detail: { digest: unknown },
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
    return fail(404, 'MANIFEST_UNKNOWN', 'manifest unknown to registry', { reference });
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
