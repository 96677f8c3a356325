import { sha256 } from '@gitless/core';
import { MEDIA_TYPE, parseManifest } from '@gitless/oci';
import { describe, expect, it } from 'vitest';
import { fluxManifest, packContent } from './flux-artifact.ts';
import { gunzip } from './gzip.ts';
import { readTar } from './read-tar.ts';

const files = [
  { path: 'b.yaml', content: Buffer.from('b: 1\n'), executable: false },
  { path: 'a.yaml', content: Buffer.from('a: 1\n'), executable: false },
];

describe('packContent', () => {
  it('packs below the prefix, and names the uncompressed archive', () => {
    const { layer, contentDigest } = packContent(files, 'web/staging');
    const tar = gunzip(layer.bytes, 1_000_000);
    expect(readTar(tar).map(({ path }) => path)).toEqual([
      '.',
      'web',
      'web/staging',
      'web/staging/a.yaml',
      'web/staging/b.yaml',
    ]);
    expect(contentDigest).toBe(sha256(tar));
    expect(layer.descriptor).toEqual({
      mediaType: MEDIA_TYPE.fluxContent,
      digest: sha256(layer.bytes),
      size: layer.bytes.byteLength,
    });
  });

  it('packs at the root without a prefix', () => {
    expect(readTar(gunzip(packContent(files, '').layer.bytes, 1_000_000)).map(({ path }) => path)).toEqual([
      '.',
      'a.yaml',
      'b.yaml',
    ]);
  });

  it('gives the same bytes for the same files in any order', () => {
    expect(packContent(files, 'web').layer.descriptor.digest).toBe(
      packContent(files.toReversed(), 'web').layer.descriptor.digest,
    );
  });

  it.each(['../up', '/abs', 'a/', 'a\\b'])('refuses the prefix %j', (prefix) => {
    expect(() => packContent(files, prefix)).toThrow(expect.objectContaining({ code: 'TREE_REFUSED' }));
  });
});

describe('fluxManifest', () => {
  const { layer } = packContent(files, '');
  const sbom = Buffer.from('{}');

  it('has the config of the Flux CLI', () => {
    const { config } = fluxManifest({ layer, sbom, annotations: {} });
    expect(config.descriptor).toEqual({
      mediaType: 'application/vnd.cncf.flux.config.v1+json',
      digest: 'sha256:5b943e2b943f6c81dbbd4e2eca5121f4fcc39139e3d1219d6d89bd925b77d9fe',
      size: 115,
    });
  });

  it('writes the fields in the order of Flux, with sorted annotations and nothing else', () => {
    const { manifest, sbomLayer } = fluxManifest({ layer, sbom, annotations: { b: '2', a: 'x=<y>&z' } });
    const content = layer.descriptor;
    expect(Buffer.from(manifest.bytes).toString()).toBe(
      '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",' +
        '"config":{"mediaType":"application/vnd.cncf.flux.config.v1+json","size":115,' +
        '"digest":"sha256:5b943e2b943f6c81dbbd4e2eca5121f4fcc39139e3d1219d6d89bd925b77d9fe"},' +
        `"layers":[{"mediaType":"${content.mediaType}","size":${content.size},"digest":"${content.digest}"},` +
        `{"mediaType":"application/vnd.cyclonedx+json","size":2,"digest":"${sha256(sbom)}"}],` +
        '"annotations":{"a":"x=<y>&z","b":"2"}}',
    );
    expect(sbomLayer.descriptor.digest).toBe(sha256(sbom));
    expect(manifest.descriptor.digest).toBe(sha256(manifest.bytes));
    expect(parseManifest(manifest.bytes, 'the test').layers).toHaveLength(2);
  });
});
