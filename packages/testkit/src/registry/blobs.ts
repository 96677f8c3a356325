import { isDigest } from '@gitless/core';
import { fail, notAllowed, type Reply, reply } from './reply.ts';
import type { RegistryRequest } from './route.ts';
import { findBlob, type Store } from './store.ts';

/** HEAD, GET and DELETE of a blob (distribution-spec end-2, end-10). */
export function handleBlob(store: Store, repository: string, digest: string, request: RegistryRequest): Reply {
  if (!isDigest(digest)) {
    return fail(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content', digest);
  }
  const content = findBlob(store, repository, digest);
  if (content === undefined) {
    return fail(404, 'BLOB_UNKNOWN', 'blob unknown to registry', digest);
  }
  switch (request.method) {
    case 'HEAD':
    case 'GET':
      return reply(200, { 'content-type': 'application/octet-stream', 'docker-content-digest': digest }, content);
    case 'DELETE':
      store.repositories.get(repository)?.blobs.delete(digest);
      return reply(202);
    default:
      return notAllowed('DELETE', 'GET', 'HEAD');
  }
}
