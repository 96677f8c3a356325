import { sha256 } from '@gitless/core';
import { type Descriptor, descriptorOf, EMPTY_CONFIG, MEDIA_TYPE } from '@gitless/oci';
import { describe, expect, it } from 'vitest';
import { connect } from './connect.ts';
import { IMAGE_TYPE, image, placeIn } from './raw.ts';
import type { RegistryUnderTest, RunningRegistry } from './registry.ts';

const CONTENT = Buffer.from('kind: ConfigMap\n');
const layer = descriptorOf(MEDIA_TYPE.fluxContent, CONTENT);
const manifest = Buffer.from(image({ config: EMPTY_CONFIG.descriptor, layers: [layer] }));
const described = descriptorOf(IMAGE_TYPE, manifest);

/** Blobs and manifests through our client. */
export function defineContentTests({ kind, access }: RegistryUnderTest, running: () => RunningRegistry): void {
  const open = () => connect(running().host, running().credentials);
  /** go-containerregistry keeps blobs for all repositories together: what one has, every one has. */
  const sharesBlobs = kind === 'go-containerregistry';

  async function push(repository: string): Promise<void> {
    const { client } = open();
    await client.putBlob(repository, EMPTY_CONFIG.bytes, EMPTY_CONFIG.descriptor.digest);
    await client.putBlob(repository, CONTENT, layer.digest);
    await client.putManifest(repository, described.digest, IMAGE_TYPE, manifest);
    await client.putManifest(repository, 'v1', IMAGE_TYPE, manifest);
  }

  describe('content', () => {
    it('comes back as it was pushed, by tag and by digest', async () => {
      await push('content/pushed');
      const { client } = open();
      for (const reference of ['v1', described.digest]) {
        expect(await client.getManifest('content/pushed', reference)).toEqual({
          descriptor: described,
          bytes: manifest,
        });
      }
      expect(Buffer.from(await client.getBlob('content/pushed', layer))).toEqual(CONTENT);
    });

    it('is not sent again', async () => {
      await push('content/again');
      const { client, sent } = open();
      await client.getManifest('content/again', 'v1');
      sent.length = 0;
      await client.putBlob('content/again', CONTENT, layer.digest);
      expect(sent).toEqual([`HEAD /v2/content/again/blobs/${layer.digest}`]);
    });

    it('moves a tag, and the former manifest stays', async () => {
      await push('content/moved');
      const { client } = open();
      const next = Buffer.from(
        image({ config: EMPTY_CONFIG.descriptor, layers: [layer], annotations: { next: 'yes' } }),
      );
      await client.putManifest('content/moved', 'v1', IMAGE_TYPE, next);
      const digest = async (reference: string) =>
        (await client.getManifest('content/moved', reference))?.descriptor.digest;
      expect([await digest('v1'), await digest(described.digest)]).toEqual([sha256(next), described.digest]);
    });

    it('is absent where the registry says so, in a known repository and an unknown one', async () => {
      await push('content/known');
      const { client } = open();
      for (const repository of ['content/known', 'content/unknown']) {
        expect(await client.getManifest(repository, 'none')).toBeUndefined();
        expect(await client.getManifest(repository, sha256('none'))).toBeUndefined();
        const gone: Descriptor = { ...layer, digest: sha256('none') };
        await expect(client.getBlob(repository, gone)).rejects.toMatchObject({
          code: 'REGISTRY_ERROR',
          problem: { why: expect.stringContaining('BLOB_UNKNOWN') },
        });
      }
    });

    it('is refused under another name than its own', async () => {
      await push('content/named');
      const { client } = open();
      await expect(client.putManifest('content/named', sha256('other'), IMAGE_TYPE, manifest)).rejects.toMatchObject({
        code: 'MANIFEST_MISMATCH',
      });
      const upload = client.putBlob('content/named', CONTENT, sha256('other'));
      await expect(upload).rejects.toMatchObject({ problem: { why: expect.stringContaining('DIGEST_INVALID') } });
    });

    if (!sharesBlobs) {
      it('is refused without its blobs, and the registry says which', async () => {
        const { client } = open();
        await expect(client.putManifest('content/bare', 'v1', IMAGE_TYPE, manifest)).rejects.toMatchObject({
          code: 'REGISTRY_ERROR',
          problem: {
            why: expect.stringMatching(new RegExp(`MANIFEST_BLOB_UNKNOWN.*${EMPTY_CONFIG.descriptor.digest}`)),
          },
        });
        expect(await client.getManifest('content/bare', 'v1')).toBeUndefined();
      });
    }
  });

  describe('a mount', () => {
    const blobs = (repository: string) => `/v2/${repository}/blobs`;

    it('takes the blob from the other repository without sending it', async () => {
      await push('mount/source');
      const { client, sent } = open();
      await client.getManifest('mount/target', 'v1');
      await client.putBlob('mount/target', CONTENT, layer.digest, 'mount/source');
      expect(sent.filter((request) => /^(?:PUT|PATCH)/.test(request))).toEqual([]);
      expect(sent.filter((request) => request.startsWith('POST')).length > 0).toBe(!sharesBlobs);
      expect(Buffer.from(await client.getBlob('mount/target', layer))).toEqual(CONTENT);
    });

    it('becomes an upload in the session that the registry opened, where there is nothing to mount', async () => {
      const content = Buffer.from('mounted from nowhere');
      const digest = sha256(content);
      const { client, sent } = open();
      await client.getManifest('mount/nothing', 'v1');
      await client.putBlob('mount/nothing', content, digest, 'mount/none');
      const answered = sent.filter((request) => !request.includes('token'));
      expect(answered.filter((request) => request.startsWith('PUT'))).toHaveLength(1);
      // Once, and where a token for both repositories had to be fetched first, once more with it.
      expect(new Set(answered.filter((request) => request.startsWith('POST')))).toEqual(
        new Set([`POST ${blobs('mount/nothing')}/uploads/`]),
      );
      expect(Buffer.from(await client.getBlob('mount/nothing', descriptorOf(MEDIA_TYPE.fluxContent, content)))).toEqual(
        content,
      );
    });

    if (access === 'token') {
      it('becomes an upload where the login may not read the source', async () => {
        await push('mount/secret');
        running().tokens?.withdraw('mount/secret');
        const { client, sent } = open();
        await client.putBlob('mount/allowed', CONTENT, layer.digest, 'mount/secret');
        expect(sent.filter((request) => request.startsWith('PUT'))).toHaveLength(1);
        expect(Buffer.from(await client.getBlob('mount/allowed', layer))).toEqual(CONTENT);
        const place = placeIn(running(), 'mount/secret');
        expect((await place.send('HEAD', `${blobs('mount/secret')}/${layer.digest}`)).status).toBe(401);
      });
    }
  });
}
