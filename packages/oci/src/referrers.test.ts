import type { Digest } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { referrerManifest } from './bundle-manifest.ts';
import type { RegistryClient } from './client.ts';
import { blobDescriptor, connect, manifest, REPOSITORY, subject, withClient } from './client-fixture.ts';
import { type FakeStore, fakeStore, indexReply } from './fake-store.ts';
import { MEDIA_TYPE } from './media-types.ts';
import { type Reply, withServer } from './test-support.ts';

const fallback = `${REPOSITORY}:sha256-${subject.digest.slice(7)}`;

function referrer(predicateType: string) {
  const annotations = { 'dev.sigstore.bundle.predicateType': predicateType };
  return referrerManifest({ subject, artifactType: MEDIA_TYPE.sigstoreBundle, layer: blobDescriptor, annotations });
}

describe('referrers', () => {
  const first = referrer('https://sigstore.dev/cosign/sign/v1');
  const put = (client: RegistryClient, { bytes, descriptor }: typeof first) =>
    client.putReferrers(REPOSITORY, subject.digest, [{ bytes, descriptor }]);
  const list = (client: RegistryClient) => client.listReferrers(REPOSITORY, subject.digest);

  function listed(store: FakeStore): Digest[] {
    const bytes = store.manifests.get(fallback)?.bytes;
    const index: { manifests: { digest: Digest }[] } =
      bytes === undefined ? { manifests: [] } : JSON.parse(bytes.toString());
    return index.manifests.map(({ digest }) => digest);
  }

  it('come from the API with all pages, and leave no fallback tag', async () => {
    const second = referrer('https://slsa.dev/provenance/v1');
    const store = fakeStore(({ url }) => {
      if (!url.includes('/referrers/')) {
        return undefined;
      }
      if (url.includes('page=2')) {
        return indexReply([second.descriptor]);
      }
      const reply = indexReply([first.descriptor]);
      return { ...reply, headers: { ...reply.headers, link: '<?page=2>; rel="next"' } };
    });
    await withClient(store.handle, async (client) => {
      expect(await list(client)).toEqual([first.descriptor, second.descriptor]);
      await put(client, second);
      expect(listed(store)).toEqual([]);
    });
  });

  it.each([
    ['404', { status: 404, body: 'page not found' }],
    ["GHCR's redirect to a web page", { status: 303, headers: { location: 'https://github.example/' } }],
    ['a page in place of an index', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['an empty list', indexReply([])],
  ])('are kept under the fallback tag where the API answers with %s', async (_name, reply: Reply) => {
    const store = fakeStore(({ url }) => (url.includes('/referrers/') ? reply : undefined));
    await withClient(store.handle, async (client) => {
      expect(await list(client)).toEqual([]);
      await put(client, first);
      await put(client, first);
      expect(await list(client)).toEqual([first.descriptor]);
    });
  });

  it('of several writers in one process are all kept, beside what others wrote', async () => {
    const store = fakeStore();
    const foreign = { ...blobDescriptor, platform: { os: 'linux' } };
    const { body } = indexReply([foreign]);
    store.manifests.set(fallback, { mediaType: MEDIA_TYPE.imageIndex, bytes: Buffer.from(String(body)) });
    const all = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => referrer(`https://example.com/${name}`));
    await withServer(store.handle, async (registry) => {
      await Promise.all(all.map((one) => put(connect(registry), one)));
      expect(listed(store).sort()).toEqual(
        [blobDescriptor, ...all.map((one) => one.descriptor)].map((d) => d.digest).sort(),
      );
      expect(store.manifests.get(fallback)?.bytes.toString()).toContain('"platform":{"os":"linux"}');
    });
  });

  it('are written again when another process overwrote the list, and the failure is loud when it always does', async () => {
    for (const [overwrites, code] of [
      [2, undefined],
      [99, 'REFERRER_NOT_LISTED'],
    ] as const) {
      let left = overwrites;
      const store = fakeStore(({ method, url }) => {
        const isOverwritten = method === 'PUT' && url.includes('manifests/sha256-') && left > 0;
        left -= isOverwritten ? 1 : 0;
        return isOverwritten ? { status: 201 } : undefined;
      });
      await withClient(store.handle, async (client) => {
        await (code === undefined ? put(client, first) : expect(put(client, first)).rejects.toMatchObject({ code }));
        expect(listed(store)).toEqual(code === undefined ? [first.descriptor.digest] : []);
      });
    }
  });

  it('of one subject are listed in one write', async () => {
    const store = fakeStore();
    const all = ['a', 'b', 'c'].map((name) => referrer(`https://example.com/${name}`));
    await withClient(store.handle, async (client) => {
      await client.putReferrers(REPOSITORY, subject.digest, all);
      expect(listed(store)).toEqual(all.map(({ descriptor }) => descriptor.digest));
      const writes = store.requests.filter(({ method, url }) => method === 'PUT' && url.includes('manifests/sha256-'));
      expect(writes).toHaveLength(1);
    });
  });

  const others = referrer('https://example.com/others');
  const listOnly = (store: FakeStore, ...descriptors: readonly unknown[]) => {
    const bytes = Buffer.from(String(indexReply(descriptors).body));
    store.manifests.set(fallback, { mediaType: MEDIA_TYPE.imageIndex, bytes });
  };

  it('are written again when another process, which read before, overwrites them after they were read back', async () => {
    let reads = 0;
    const store: FakeStore = fakeStore(({ method, url }) => {
      reads += method === 'GET' && url.includes('manifests/sha256-') ? 1 : 0;
      if (method === 'GET' && reads === 2) {
        listOnly(store, first.descriptor, blobDescriptor);
      } else if (method === 'GET' && reads === 3) {
        listOnly(store, others.descriptor);
      }
      return undefined;
    });
    await withClient(store.handle, async (client) => {
      await put(client, first);
      expect(listed(store)).toEqual([others.descriptor.digest, first.descriptor.digest]);
    });
  });

  it('are merged anew when the registry does not answer a write: what is sent again by itself would be old', async () => {
    let fails = 2;
    const store: FakeStore = fakeStore(({ method, url }) => {
      if (method !== 'PUT' || !url.includes('manifests/sha256-') || fails === 0) {
        return undefined;
      }
      fails -= 1;
      listOnly(store, others.descriptor);
      return { status: 503 };
    });
    await withServer(store.handle, async (registry) => {
      await put(connect(registry, 3), first);
      expect(listed(store)).toEqual([others.descriptor.digest, first.descriptor.digest]);
    });
  });

  it('fail with what the registry says when it takes no write at all', async () => {
    const store = fakeStore(({ method, url }) =>
      method === 'PUT' && url.includes('manifests/sha256-') ? { status: 503 } : undefined,
    );
    await withClient(store.handle, async (client) => {
      await expect(put(client, first)).rejects.toMatchObject({
        code: 'REGISTRY_ERROR',
        problem: { why: expect.stringContaining('503') },
      });
    });
  });

  it('fail where the API lists others but not the new one, as readers would not find it', async () => {
    const other = indexReply([blobDescriptor]);
    const store = fakeStore(({ url }) => (url.includes('/referrers/') ? other : undefined));
    await withClient(store.handle, async (client) => {
      await expect(put(client, first)).rejects.toMatchObject({ code: 'REFERRER_NOT_LISTED' });
    });
  });

  it('fail, and leave the tag alone, where it holds something else', async () => {
    const store = fakeStore();
    store.manifests.set(fallback, { mediaType: subject.mediaType, bytes: manifest });
    await withClient(store.handle, async (client) => {
      await expect(list(client)).rejects.toMatchObject({ code: 'REFERRERS_TAG_FOREIGN' });
      await expect(put(client, first)).rejects.toMatchObject({ code: 'REFERRERS_TAG_FOREIGN' });
      expect(store.manifests.get(fallback)?.bytes).toBe(manifest);
    });
  });

  it.each([401, 403, 429, 500, 503])('are never absent on HTTP %i, from the API or the tag', async (status) => {
    for (const part of ['/referrers/', '/manifests/']) {
      const store = fakeStore(({ url }) => (url.includes(part) ? { status } : undefined));
      await withClient(store.handle, async (client) => {
        await expect(list(client)).rejects.toMatchObject({ code: expect.stringMatching(/^REGISTRY_/) });
      });
    }
  });
});
