import { isDigest, sha256 } from '@gitless/core';
import { MEDIA_TYPE } from './media-types.ts';
import { type Handler, type Received, type Reply, registryReply } from './test-support.ts';

export interface FakeStore {
  readonly handle: Handler;
  readonly requests: Received[];
  readonly blobs: Map<string, Uint8Array>;
  /** By `repository:reference`. */
  readonly manifests: Map<string, { mediaType: string; bytes: Uint8Array }>;
}

/** The few registry routes that the tests need, in memory, without a referrers API. `before` may answer first. */
export function fakeStore(before: (request: Received) => Reply | undefined = () => undefined): FakeStore {
  const requests: Received[] = [];
  const blobs: FakeStore['blobs'] = new Map();
  const manifests: FakeStore['manifests'] = new Map();

  function blob(request: Received, url: URL, rest: string): Reply {
    if (rest.startsWith('uploads/')) {
      if (request.method === 'POST') {
        const isMounted = blobs.has(url.searchParams.get('mount') ?? '');
        return isMounted ? { status: 201 } : { status: 202, headers: { location: `${url.pathname}one?state=a%2Bb` } };
      }
      const digest = url.searchParams.get('digest') ?? '';
      if (sha256(request.body) !== digest) {
        return registryReply(400, 'DIGEST_INVALID');
      }
      blobs.set(digest, request.body);
      return { status: 201 };
    }
    const body = blobs.get(rest);
    return body === undefined ? registryReply(404, 'BLOB_UNKNOWN') : { status: 200, body };
  }

  function manifest(request: Received, repository: string, reference: string): Reply {
    const key = `${repository}:${reference}`;
    if (request.method === 'PUT') {
      const digest = sha256(request.body);
      const entry = { mediaType: String(request.headers['content-type']), bytes: request.body };
      manifests.set(`${repository}:${digest}`, entry).set(key, entry);
      return { status: 201, headers: { 'docker-content-digest': digest } };
    }
    const found = manifests.get(key);
    return found === undefined
      ? registryReply(404, isDigest(reference) ? 'MANIFEST_UNKNOWN' : 'NAME_UNKNOWN')
      : { status: 200, headers: { 'content-type': found.mediaType }, body: found.bytes };
  }

  return {
    requests,
    blobs,
    manifests,
    handle(request) {
      requests.push(request);
      const url = new URL(request.url, 'http://registry');
      const [, repository = '', kind = '', rest = ''] =
        /^\/v2\/(.+?)\/(blobs|manifests|referrers)\/(.+)$/.exec(url.pathname) ?? [];
      const early = before(request);
      if (early !== undefined) {
        return early;
      }
      if (kind === 'blobs') {
        return blob(request, url, rest);
      }
      return kind === 'manifests' ? manifest(request, repository, rest) : { status: 404, body: 'page not found' };
    },
  };
}

export function indexReply(manifests: readonly unknown[]): Reply {
  return {
    status: 200,
    headers: { 'content-type': MEDIA_TYPE.imageIndex },
    body: JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.imageIndex, manifests }),
  };
}
