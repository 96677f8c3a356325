import { type Digest, type HttpResponse, sha256, UserError } from '@gitless/core';
import type { Descriptor } from './descriptor.ts';
import { registryFault } from './registry-error.ts';
import { pullScope, pushScope } from './scopes.ts';
import type { Transport } from './transport.ts';

/** Blobs are held in memory; ours are far smaller. */
const BLOB_MAX_BYTES = 512 * 1024 * 1024;
/** For answers that hold no content, so that an error's text can be shown. */
const ANSWER_MAX_BYTES = 64 * 1024;
const REDIRECTS_MAX = 5;
const UPLOAD_TRIES = 2;

/** Whether the registry has the blob. Throws the codes of `registryError`. */
export async function hasBlob(transport: Transport, repository: string, digest: Digest): Promise<boolean> {
  const response = await follow(transport, {
    method: 'HEAD',
    url: transport.url(repository, `blobs/${digest}`),
    scopes: [pullScope(repository)],
    maxBytes: ANSWER_MAX_BYTES,
  });
  if (response.status === 404) {
    return false;
  }
  if (response.status !== 200) {
    throw transport.failure(response, `look for blob ${digest} in ${repository}`);
  }
  return true;
}

/**
 * A blob of exactly the descriptor's size and digest. Follows at most five redirects, over https only, and never sends
 * credentials again once one has left the registry's origin.
 * Throws `BLOB_TOO_LARGE`, `BLOB_MISMATCH`, `REDIRECT_REFUSED` and the codes of `registryError`.
 */
export async function fetchBlob(transport: Transport, repository: string, descriptor: Descriptor): Promise<Uint8Array> {
  const { digest, size } = descriptor;
  if (size > BLOB_MAX_BYTES) {
    throw new UserError({
      code: 'BLOB_TOO_LARGE',
      what: `blob ${digest} in ${repository} has ${size} bytes`,
      why: `at most ${BLOB_MAX_BYTES} bytes are read, so that a manifest cannot exhaust the runner`,
      fix: 'check that the digest is of an artifact that push published',
    });
  }
  const response = await follow(transport, {
    method: 'GET',
    url: transport.url(repository, `blobs/${digest}`),
    scopes: [pullScope(repository)],
    maxBytes: Math.max(size, ANSWER_MAX_BYTES),
  });
  if (response.status !== 200) {
    throw transport.failure(response, `read blob ${digest} of ${repository}`);
  }
  const actual = sha256(response.body);
  if (response.body.byteLength !== size || actual !== digest) {
    throw new UserError({
      code: 'BLOB_MISMATCH',
      what: `blob ${digest} of ${transport.registry}/${repository} is not what it should be`,
      why: `the registry sent ${response.body.byteLength} bytes with digest ${actual}; ${size} bytes were expected`,
      fix: 'do not use it; find out whether a proxy or the registry changes content',
    });
  }
  return response.body;
}

/** The bytes of a blob, or where they come from should they be needed. */
export type BlobContent = Uint8Array | (() => Promise<Uint8Array>);

/**
 * Makes sure that the registry has the blob: found, mounted from `mountFrom`, or uploaded in one PUT
 * (distribution-spec, "Pushing blobs", "Mounting a blob from another repository").
 * Throws `UPLOAD_REFUSED`, `REDIRECT_REFUSED` and the codes of `registryError`.
 */
export async function storeBlob(
  transport: Transport,
  repository: string,
  blob: { content: BlobContent; digest: Digest; mountFrom?: string },
): Promise<void> {
  if (await hasBlob(transport, repository, blob.digest)) {
    return;
  }
  let bytes: Uint8Array | undefined;
  let session =
    blob.mountFrom === undefined ? undefined : await mount(transport, repository, blob.digest, blob.mountFrom);
  for (let attempt = 1; session !== 'mounted'; attempt += 1) {
    session ??= await openUpload(transport, repository);
    bytes ??= blob.content instanceof Uint8Array ? blob.content : await blob.content();
    const response = await transport.send({
      method: 'PUT',
      url: uploadTarget(session, blob.digest),
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes,
      scopes: [pushScope(repository)],
      maxBytes: ANSWER_MAX_BYTES,
    });
    // A repeated PUT can find its session gone because the first one was stored though its answer was lost.
    if (response.status === 201 || (isSessionLost(response) && (await hasBlob(transport, repository, blob.digest)))) {
      return;
    }
    if (!isSessionLost(response) || attempt >= UPLOAD_TRIES) {
      throw transport.failure(response, `upload blob ${blob.digest} to ${repository}`);
    }
    session = undefined;
  }
}

/** `mounted`, the upload session that the registry opened instead, or undefined where mounting is not allowed. */
async function mount(
  transport: Transport,
  repository: string,
  digest: Digest,
  from: string,
): Promise<'mounted' | URL | undefined> {
  const url = transport.url(repository, 'blobs/uploads/');
  url.search = new URLSearchParams({ mount: digest, from }).toString();
  let response: HttpResponse;
  try {
    const scopes = [pushScope(repository), pullScope(from)];
    response = await transport.send({ method: 'POST', url, scopes, maxBytes: ANSWER_MAX_BYTES });
  } catch (error) {
    // The token service may refuse the pair of scopes; then there is no right to read the source.
    if (error instanceof UserError && ['REGISTRY_UNAUTHORIZED', 'REGISTRY_DENIED'].includes(error.code)) {
      return undefined;
    }
    throw error;
  }
  if (response.status === 201) {
    return 'mounted';
  }
  return response.status === 202 ? sessionUrl(transport, response, url) : undefined;
}

async function openUpload(transport: Transport, repository: string): Promise<URL> {
  const url = transport.url(repository, 'blobs/uploads/');
  const scopes = [pushScope(repository)];
  const response = await transport.send({ method: 'POST', url, scopes, maxBytes: ANSWER_MAX_BYTES });
  if (response.status !== 202) {
    throw transport.failure(response, `open an upload to ${repository}`);
  }
  return sessionUrl(transport, response, url);
}

function sessionUrl(transport: Transport, response: HttpResponse, requested: URL): URL {
  const location = response.headers.get('location');
  const url = location === null ? null : URL.parse(location, requested.href);
  if (url === null || url.username !== '' || url.password !== '') {
    throw new UserError({
      code: 'UPLOAD_REFUSED',
      what: `${transport.registry} opened an upload without saying where to`,
      why: 'its answer has no usable Location header',
      fix: 'run the job again; if it persists, tell those who run the registry',
    });
  }
  return url;
}

/** The session's URL with `digest` appended as text: a signed query must keep its order and encoding. */
function uploadTarget(session: URL, digest: Digest): URL {
  const [href = ''] = session.href.split('#');
  return new URL(`${href}${href.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`);
}

function isSessionLost(response: HttpResponse): boolean {
  return (
    response.status === 404 ||
    response.status === 416 ||
    /^BLOB_UPLOAD_(?:UNKNOWN|INVALID)$/.test(registryFault(response)?.code ?? '')
  );
}

interface BlobRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly scopes: readonly string[];
  readonly maxBytes: number;
}

async function follow(transport: Transport, request: BlobRequest): Promise<HttpResponse> {
  let url = request.url;
  let anonymous = false;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    anonymous ||= !transport.isOwn(url);
    const response = await transport.send({ ...request, url, anonymous });
    const location = [301, 302, 303, 307, 308].includes(response.status) ? response.headers.get('location') : null;
    const next = location === null ? null : URL.parse(location, url.href);
    if (next === null) {
      return response;
    }
    url = next;
  }
  throw new UserError({
    code: 'REDIRECT_REFUSED',
    what: `${transport.registry} redirects a blob more than ${REDIRECTS_MAX} times`,
    fix: 'run the job again; if it persists, tell those who run the registry',
  });
}
