import { sha256 } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { EMPTY_CONFIG } from './bundle-manifest.ts';
import { blob, blobDescriptor, connect, manifest, REPOSITORY, subject } from './client-fixture.ts';
import { copyArtifact } from './copy.ts';
import { fakeStore } from './fake-store.ts';
import { withServer } from './test-support.ts';

describe('copyArtifact', () => {
  it('copies what is missing and never a byte differently', async () => {
    const from = fakeStore();
    const to = fakeStore();
    await withServer(from.handle, (fromHost) =>
      withServer(to.handle, async (toHost) => {
        const source = connect(fromHost);
        const target = connect(toHost);
        await source.putBlob(REPOSITORY, EMPTY_CONFIG.bytes, EMPTY_CONFIG.descriptor.digest);
        await source.putBlob(REPOSITORY, blob, blobDescriptor.digest);
        const copy = {
          source,
          sourceRepository: REPOSITORY,
          target,
          targetRepository: 'production/web',
          manifest: { descriptor: subject, bytes: manifest },
        };
        await copyArtifact(copy);
        await copyArtifact(copy);
        expect((await target.getManifest('production/web', subject.digest))?.bytes).toEqual(manifest);
        expect(to.requests.filter(({ method }) => method === 'POST')).toHaveLength(2);
        const forged = { ...copy, manifest: { descriptor: { ...subject, digest: sha256('x') }, bytes: manifest } };
        await expect(copyArtifact(forged)).rejects.toMatchObject({ code: 'MANIFEST_MISMATCH' });
      }),
    );
  });

  it('reads no content where the registry takes it from the source itself', async () => {
    const store = fakeStore(({ url }) => (url.includes('mount=') ? { status: 201 } : undefined));
    await withServer(store.handle, async (host) => {
      const client = connect(host);
      await copyArtifact({
        source: client,
        sourceRepository: REPOSITORY,
        target: client,
        targetRepository: 'production/web',
        manifest: { descriptor: subject, bytes: manifest },
      });
      expect(store.requests.map(({ method }) => method)).toEqual(['HEAD', 'POST', 'HEAD', 'POST', 'PUT']);
    });
  });
});
