import { fluxManifest, packContent, type TreeFile } from '@gitless/artifact';
import { sha256 } from '@gitless/core';
import { createRegistryClient } from '@gitless/oci';
import { startRegistry } from '@gitless/testkit';
import { describe, expect, it } from 'vitest';
import { compareContent, contentFiles } from './content-changes.ts';
import { testContext } from './fixtures.ts';

function file(path: string, text: string): TreeFile {
  return { path, content: Buffer.from(text), executable: false };
}

describe('compareContent', () => {
  it('lists documents added, removed and changed, sorted', () => {
    const before = new Map([
      ['web/b', '1'],
      ['web/c', '1'],
      ['web/gone', '1'],
      ['web/same', '1'],
    ]);
    const after = new Map([
      ['web/same', '1'],
      ['web/new', '1'],
      ['web/c', '2'],
      ['web/b', '2'],
    ]);
    expect(compareContent(before, after)).toEqual({
      added: ['web/new'],
      removed: ['web/gone'],
      changed: ['web/b', 'web/c'],
    });
    expect(compareContent(after, after)).toEqual({ added: [], removed: [], changed: [] });
  });
});

describe('contentFiles', () => {
  it('reads the first layer of a published artifact, and nothing of one that is not for Flux', async () => {
    const registry = await startRegistry();
    try {
      const client = createRegistryClient(testContext(), {
        registry: registry.host,
        credentials: { kind: 'anonymous' },
        plainHttp: true,
      });
      const { layer } = packContent([file('staging/a.yaml', 'a'), file('staging/b.yaml', 'b')], 'web');
      const { manifest } = fluxManifest({ layer, sbom: Buffer.from('{}'), annotations: {} });
      await client.putBlob('acme/web', layer.bytes, layer.descriptor.digest);
      expect(await contentFiles(client, 'acme/web', manifest.bytes)).toEqual(
        new Map([
          ['web/staging/a.yaml', sha256('a')],
          ['web/staging/b.yaml', sha256('b')],
        ]),
      );
      const other = Buffer.from(
        Buffer.from(manifest.bytes).toString().replaceAll('vnd.cncf.flux.content', 'vnd.other'),
      );
      expect(await contentFiles(client, 'acme/web', other)).toEqual(new Map());
    } finally {
      await registry.close();
    }
  });
});
