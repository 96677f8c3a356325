import { type Digest, type HttpResponse, isDigest, sha256, UserError } from '@gitless/core';
import * as v from 'valibot';
import type { Descriptor } from './descriptor.ts';
import { MANIFEST_MAX_BYTES } from './manifest.ts';
import { MEDIA_TYPE } from './media-types.ts';
import { isTag } from './reference.ts';
import { registryFault } from './registry-error.ts';
import { pullScope, pushScope } from './scopes.ts';
import type { Transport } from './transport.ts';

/**
 * Also kinds that the suite never writes: a registry answers 404 for a tag whose kind is not listed, and such a tag
 * must not look free.
 */
const ACCEPTED: readonly string[] = [
  MEDIA_TYPE.imageManifest,
  MEDIA_TYPE.imageIndex,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

const MediaTypeOnly = v.object({ mediaType: v.exactOptional(v.string()) });

export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly etag: string | undefined;
}

/** Whether a 404 says that there is no such manifest or repository (Harbor: NOT_FOUND); any other code is a failure. */
export function isAbsent(response: HttpResponse): boolean {
  const code = registryFault(response)?.code ?? '';
  return response.status === 404 && ['', 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'NOT_FOUND'].includes(code);
}

/**
 * Reads a manifest by tag or digest, verified: digest, media type, at most 4 MiB. Undefined only if the registry says
 * that it is absent. Throws `MANIFEST_MISMATCH`, `HTTP_BODY_TOO_LARGE` and the codes of `registryError`.
 */
export async function fetchManifest(
  transport: Transport,
  repository: string,
  reference: string,
): Promise<FetchedManifest | undefined> {
  const url = manifestUrl(transport, repository, reference);
  const response = await transport.send({
    method: 'GET',
    url,
    headers: { accept: ACCEPTED.join(', ') },
    scopes: [pullScope(repository)],
    maxBytes: MANIFEST_MAX_BYTES,
  });
  if (isAbsent(response)) {
    return undefined;
  }
  const name = manifestName(transport, repository, reference);
  if (response.status !== 200) {
    throw transport.failure(response, `read the manifest ${name}`);
  }
  const digest = sha256(response.body);
  for (const claimed of [reference, response.headers.get('docker-content-digest') ?? '']) {
    if (isDigest(claimed) && claimed !== digest) {
      throw mismatch(name, `its content has digest ${digest}, not ${claimed}`);
    }
  }
  const descriptor = { mediaType: manifestType(response, name), digest, size: response.body.byteLength };
  return { descriptor, bytes: response.body, etag: response.headers.get('etag') ?? undefined };
}

/**
 * Writes exactly `bytes` under a tag or digest; with `ifMatch` only if the tag still has that entity tag (undefined is
 * returned when it has not), with `once` in a single request. Throws `MANIFEST_MISMATCH` when the registry stored something else, and the codes of
 * `registryError`.
 */
export async function storeManifest(
  transport: Transport,
  repository: string,
  manifest: { reference: string; mediaType: string; bytes: Uint8Array; ifMatch?: string; once?: boolean },
): Promise<Digest | undefined> {
  const { reference, mediaType, bytes, ifMatch, once = false } = manifest;
  const digest = sha256(bytes);
  const name = manifestName(transport, repository, reference);
  if (isDigest(reference) && reference !== digest) {
    throw mismatch(name, `the content to push has digest ${digest}`);
  }
  const response = await transport.send({
    method: 'PUT',
    url: manifestUrl(transport, repository, reference),
    headers: { 'content-type': mediaType, ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) },
    body: bytes,
    scopes: [pushScope(repository)],
    maxBytes: MANIFEST_MAX_BYTES,
    once,
  });
  if (response.status === 412 && ifMatch !== undefined) {
    return undefined;
  }
  if (response.status < 200 || response.status > 299) {
    throw transport.failure(response, `push the manifest ${name}`);
  }
  const stored = response.headers.get('docker-content-digest') ?? '';
  if (isDigest(stored) && stored !== digest) {
    throw mismatch(name, `the registry stored ${stored} in place of ${digest}`);
  }
  return digest;
}

function manifestUrl(transport: Transport, repository: string, reference: string): URL {
  if (!isDigest(reference) && !isTag(reference)) {
    throw new UserError({
      code: 'BAD_REFERENCE',
      what: `${JSON.stringify(reference.slice(0, 200))} is neither a tag nor a digest`,
      fix: 'use a tag of up to 128 letters, digits, "_", "." and "-", or sha256: and 64 lower-case hex digits',
    });
  }
  return transport.url(repository, `manifests/${reference}`);
}

function manifestName(transport: Transport, repository: string, reference: string): string {
  return `${transport.registry}/${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
}

/** Header and body must agree on the kind (image-spec `manifest.md`, "mediaType"). */
function manifestType(response: HttpResponse, name: string): string {
  const header = mediaTypeOf(response);
  if (!ACCEPTED.includes(header)) {
    throw mismatch(name, `the answer's Content-Type ${JSON.stringify(header)} is not a manifest's`);
  }
  let body: string | undefined;
  try {
    body = v.parse(MediaTypeOnly, JSON.parse(new TextDecoder().decode(response.body))).mediaType;
  } catch {
    throw mismatch(name, 'it is not a JSON document');
  }
  if (body !== undefined && body !== header) {
    throw mismatch(name, `Content-Type says ${header}, the document ${JSON.stringify(body.slice(0, 200))}`);
  }
  return header;
}

/** Content-Type without parameters; empty when absent. */
export function mediaTypeOf(response: HttpResponse): string {
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  return type.trim().slice(0, 200);
}

function mismatch(name: string, why: string): UserError {
  return new UserError({
    code: 'MANIFEST_MISMATCH',
    what: `the manifest ${name} is not what it should be`,
    why,
    fix: 'do not use it; find out whether a proxy or the registry changes content',
  });
}
