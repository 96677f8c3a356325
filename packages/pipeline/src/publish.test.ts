import { fluxManifest, packContent } from '@gitless/artifact';
import { createRegistryClient, type RegistryClient } from '@gitless/oci';
import { startRegistry, type TestRegistry } from '@gitless/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testContext } from './fixtures.ts';
import { moveTag, readBackManifest, type TaggableManifest, writeTagOnce } from './publish.ts';

const REPOSITORY = 'acme/web';

let registry: TestRegistry;
let client: RegistryClient;
beforeEach(async () => {
  registry = await startRegistry();
  const credentials = { kind: 'anonymous' } as const;
  client = createRegistryClient(testContext(), { registry: registry.host, credentials, plainHttp: true });
});
afterEach(() => registry.close());

/** An artifact in the registry, as it is read back. */
async function published(text: string): Promise<TaggableManifest> {
  const { layer } = packContent([{ path: 'a.yaml', content: Buffer.from(text), executable: false }], 'web');
  const { manifest, config, sbomLayer } = fluxManifest({ layer, sbom: Buffer.from('{}'), annotations: {} });
  for (const { bytes, descriptor } of [config, layer, sbomLayer]) {
    await client.putBlob(REPOSITORY, bytes, descriptor.digest);
  }
  const { digest, mediaType } = manifest.descriptor;
  await client.putManifest(REPOSITORY, digest, mediaType, manifest.bytes);
  return readBackManifest(client, REPOSITORY, digest);
}

const tagsWritten = () => registry.tagHistory.map(({ tag, digest }) => [tag, digest]);

describe('a tag that is written once', () => {
  it('is written, and with the same digest again is a success without a write', async () => {
    const one = await published('one');
    await writeTagOnce(client, REPOSITORY, 'b-1', one);
    await writeTagOnce(client, REPOSITORY, 'b-1', one);
    expect(tagsWritten()).toEqual([['b-1', one.descriptor.digest]]);
  });

  it('never changes to another digest', async () => {
    const [one, two] = [await published('one'), await published('two')];
    await writeTagOnce(client, REPOSITORY, 'v1.0.0', one);
    await expect(writeTagOnce(client, REPOSITORY, 'v1.0.0', two)).rejects.toMatchObject({ code: 'TAG_TAKEN' });
    expect(registry.tags(REPOSITORY).get('v1.0.0')).toBe(one.descriptor.digest);
  });

  it('is not taken for free because the registry does not answer', async () => {
    const one = await published('one');
    registry.onRequest = ({ method, path }) =>
      method === 'GET' && path.endsWith('/v1.0.0') ? { kind: 'status', status: 503 } : undefined;
    await expect(writeTagOnce(client, REPOSITORY, 'v1.0.0', one)).rejects.toMatchObject({ code: 'REGISTRY_ERROR' });
    expect(tagsWritten()).toEqual([]);
  });
});

describe('a channel', () => {
  it('moves, and is not written when it is right already', async () => {
    const [one, two] = [await published('one'), await published('two')];
    for (const manifest of [one, one, two, two, one]) {
      await moveTag(client, REPOSITORY, 'latest', manifest);
    }
    expect(tagsWritten().map(([, digest]) => digest)).toEqual(
      [one, two, one].map(({ descriptor }) => descriptor.digest),
    );
  });

  it('that another writer moves at the same moment is an error, not a success', async () => {
    const [one, two] = [await published('one'), await published('two')];
    let reads = 0;
    registry.onRequest = ({ method, path }) => {
      if (method !== 'GET' || !path.endsWith('/latest')) {
        return undefined;
      }
      reads += 1;
      // The read after our own write sees what the other one wrote.
      const headers = { 'content-type': two.descriptor.mediaType };
      return reads === 2
        ? { kind: 'status', status: 200, headers, body: Buffer.from(two.bytes).toString() }
        : undefined;
    };
    await expect(moveTag(client, REPOSITORY, 'latest', one)).rejects.toMatchObject({ code: 'READ_BACK_FAILED' });
  });
});

describe('readBackManifest', () => {
  it('takes nothing that the registry does not give back', async () => {
    const { descriptor } = await published('one');
    const missing = `sha256:${'0'.repeat(64)}`;
    await expect(readBackManifest(client, REPOSITORY, missing)).rejects.toMatchObject({ code: 'READ_BACK_FAILED' });
    expect((await readBackManifest(client, REPOSITORY, descriptor.digest)).descriptor).toEqual(descriptor);
  });
});
