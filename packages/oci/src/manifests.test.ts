import { sha256 } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { manifest, REPOSITORY, subject, withClient } from './client-fixture.ts';
import { fakeStore } from './fake-store.ts';
import { MEDIA_TYPE } from './media-types.ts';
import { type Reply, registryReply } from './test-support.ts';

describe('manifests', () => {
  it('come back as they were written, by tag and by digest', async () => {
    await withClient(fakeStore().handle, async (client) => {
      await client.putManifest(REPOSITORY, 'latest', subject.mediaType, manifest);
      for (const reference of ['latest', subject.digest]) {
        const found = await client.getManifest(REPOSITORY, reference);
        expect(found?.descriptor).toEqual(subject);
        expect(found?.bytes).toEqual(manifest);
      }
    });
  });

  it('are asked for with the kinds by name, so that no registry hides one', async () => {
    const store = fakeStore();
    await withClient(store.handle, async (client) => {
      await client.getManifest(REPOSITORY, 'latest');
      expect(store.requests[0]?.headers['accept']).toContain(MEDIA_TYPE.imageManifest);
      expect(store.requests[0]?.headers['accept']).not.toContain('*');
    });
  });

  it.each([
    ['MANIFEST_UNKNOWN', registryReply(404, 'MANIFEST_UNKNOWN')],
    ['NAME_UNKNOWN', registryReply(404, 'NAME_UNKNOWN')],
    ["Harbor's NOT_FOUND", registryReply(404, 'NOT_FOUND')],
    ['no code', { status: 404, body: 'not here' }],
  ])('are absent on a 404 with %s', async (_name, reply) => {
    await withClient(
      () => reply,
      async (client) => expect(await client.getManifest(REPOSITORY, 'latest')).toBeUndefined(),
    );
  });

  it.each([
    ['401', { status: 401 }, 'REGISTRY_UNAUTHORIZED'],
    ['403', { status: 403 }, 'REGISTRY_DENIED'],
    ['404 with another code', registryReply(404, 'UNSUPPORTED'), 'REGISTRY_ERROR'],
    ['429', registryReply(429, 'TOOMANYREQUESTS'), 'REGISTRY_ERROR'],
    ['503', { status: 503, body: '<html>' }, 'REGISTRY_ERROR'],
    ['a redirect', { status: 302, headers: { location: '/login' } }, 'REGISTRY_ERROR'],
    ['a page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }, 'MANIFEST_MISMATCH'],
  ])('are never absent on %s', async (_name, reply: Reply, code) => {
    await withClient(
      () => reply,
      async (client) => {
        await expect(client.getManifest(REPOSITORY, 'latest')).rejects.toMatchObject({ code });
      },
    );
  });

  it.each([
    ['the digest asked for', subject.digest, { 'content-type': subject.mediaType }, 'other'],
    [
      "the registry's digest",
      'latest',
      { 'content-type': subject.mediaType, 'docker-content-digest': sha256('x') },
      manifest,
    ],
    ['its own media type', 'latest', { 'content-type': MEDIA_TYPE.imageIndex }, manifest],
  ])('are refused when they do not agree with %s', async (_name, reference, headers, body) => {
    await withClient(
      () => ({ status: 200, headers, body }),
      async (client) => {
        await expect(client.getManifest(REPOSITORY, reference)).rejects.toMatchObject({ code: 'MANIFEST_MISMATCH' });
      },
    );
  });

  it('fail to be written when the registry stored something else', async () => {
    await withClient(
      () => ({ status: 201, headers: { 'docker-content-digest': sha256('x') } }),
      async (client) => {
        const put = client.putManifest(REPOSITORY, 'latest', subject.mediaType, manifest);
        await expect(put).rejects.toMatchObject({ code: 'MANIFEST_MISMATCH' });
      },
    );
  });

  it.each([
    [
      'ECR',
      400,
      'TAG_INVALID',
      "The image tag 'v1' already exists and cannot be overwritten because the repository is immutable.",
    ],
    ['Harbor', 412, 'PRECONDITION', 'Failed to process request due to tag configured as immutable.'],
    ['Quay', 409, 'TAG_IMMUTABLE', ''],
    ['Artifact Registry', 400, 'DENIED', 'cannot update tag v1. The repository has enabled tag immutability'],
  ])('say that a tag is immutable on %s', async (_name, status, code, message) => {
    await withClient(
      () => registryReply(status, code, message),
      async (client) => {
        const put = client.putManifest(REPOSITORY, 'v1', subject.mediaType, manifest);
        await expect(put).rejects.toMatchObject({ code: 'REGISTRY_TAG_IMMUTABLE' });
      },
    );
  });

  it("show the registry's words on one line and cut short", async () => {
    const message = `\n::error::fake\u001b[31m\u202e${'x'.repeat(5000)}`;
    await withClient(
      () => registryReply(400, 'MANIFEST_INVALID', message),
      async (client) => {
        const failure = client.getManifest(REPOSITORY, 'latest');
        const words = expect.stringMatching(/HTTP 400: MANIFEST_INVALID: ::error::fake \[31m x{270,290}…$/);
        await expect(failure).rejects.toMatchObject({ problem: { why: words } });
      },
    );
  });

  it('are not asked for by what is neither tag nor digest, nor outside the repository', async () => {
    const store = fakeStore();
    await withClient(store.handle, async (client) => {
      for (const [repository, reference] of [
        [REPOSITORY, '../../_catalog'],
        [REPOSITORY, 'a?b'],
        ['../acme', 'latest'],
        ['acme/web/../../x', 'latest'],
      ] as const) {
        await expect(client.getManifest(repository, reference)).rejects.toMatchObject({ code: 'BAD_REFERENCE' });
      }
      expect(store.requests).toEqual([]);
    });
  });
});
