import { randomUUID } from 'node:crypto';
import { isDigest, sha256 } from '@gitless/core';
import { fail, notAllowed, type Reply, reply } from './reply.ts';
import type { RegistryRequest } from './route.ts';
import { addBlob, findBlob, openRepository, type Store, type Upload } from './store.ts';

/** POST to `/blobs/uploads/`: mount, single POST, or a new upload session (distribution-spec end-4a, end-4b, end-11). */
export function startUpload(store: Store, repository: string, request: RegistryRequest): Reply {
  if (request.method !== 'POST') {
    return notAllowed('POST');
  }
  const mount = request.url.searchParams.get('mount');
  if (mount !== null && mountBlob(store, repository, mount, request)) {
    return created(repository, mount);
  }
  const digest = request.url.searchParams.get('digest');
  if (mount === null && digest !== null) {
    return finish(store, repository, digest, request.body);
  }
  const id = randomUUID();
  const upload: Upload = { repository, content: Buffer.alloc(0) };
  store.uploads.set(id, upload);
  return progress(202, id, upload);
}

/** PATCH, PUT, GET and DELETE of an upload session (distribution-spec end-5, end-6, end-13, end-14). */
export function handleUpload(store: Store, repository: string, id: string, request: RegistryRequest): Reply {
  const upload = store.uploads.get(id);
  if (upload === undefined || upload.repository !== repository) {
    return fail(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry', id);
  }
  switch (request.method) {
    case 'GET':
      return progress(204, id, upload);
    case 'DELETE':
      store.uploads.delete(id);
      return reply(204);
    case 'PATCH':
      if (!inOrder(upload, request)) {
        return fail(416, 'RANGE_INVALID', 'invalid content range');
      }
      upload.content = Buffer.concat([upload.content, request.body]);
      return progress(202, id, upload);
    case 'PUT': {
      if (!inOrder(upload, request)) {
        return fail(416, 'RANGE_INVALID', 'invalid content range');
      }
      const answer = finish(
        store,
        repository,
        request.url.searchParams.get('digest') ?? '',
        Buffer.concat([upload.content, request.body]),
      );
      if (answer.status === 201) {
        store.uploads.delete(id);
      }
      return answer;
    }
    default:
      return notAllowed('DELETE', 'GET', 'PATCH', 'PUT');
  }
}

/** Whoever may not read the source does not get here. A mount that names none is not looked for elsewhere. */
function mountBlob(store: Store, repository: string, digest: string, request: RegistryRequest): boolean {
  const from = request.url.searchParams.get('from');
  if (!isDigest(digest) || from === null || findBlob(store, from, digest) === undefined) {
    return false;
  }
  openRepository(store, repository).blobs.add(digest);
  return true;
}

/** Content-Range is `<start>-<end>` without a unit, both ends inclusive; without it, content goes to the end. */
function inOrder(upload: Upload, request: RegistryRequest): boolean {
  const header = request.headers['content-range'];
  if (header === undefined) {
    return true;
  }
  const [, start, end] = /^(\d+)-(\d+)$/.exec(header) ?? [];
  return Number(start) === upload.content.length && Number(end) - Number(start) + 1 === request.body.length;
}

function finish(store: Store, repository: string, digest: string, content: Buffer): Reply {
  if (!isDigest(digest) || sha256(content) !== digest) {
    return fail(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content', digest);
  }
  addBlob(store, repository, content);
  return created(repository, digest);
}

function created(repository: string, digest: string): Reply {
  return reply(201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest });
}

function progress(status: number, id: string, upload: Upload): Reply {
  return reply(status, {
    location: `/v2/${upload.repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(upload.content.length - 1, 0)}`,
  });
}
