import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TreeFile } from '@gitless/artifact';
import { canonicalJson, hexOf, PREDICATE, sha256 } from '@gitless/core';
import type { Descriptor } from '@gitless/oci';
import { describe, expect, it } from 'vitest';
import { BUILD, withDirectory } from './fixtures.ts';
import { addEntries, findArtifact, writeBundle } from './layout-store.ts';
import { type PackageInput, packageComponent, writePackages } from './package-component.ts';
import { workDir } from './work-dir.ts';

function file(path: string, text: string): TreeFile {
  return { path, content: Buffer.from(text), executable: false };
}

const INPUT: PackageInput = {
  build: BUILD,
  component: 'web',
  files: [file('staging/a.yaml', 'a'), file('production/a.yaml', 'b')],
  objects: [],
  checks: [{ name: 'schema', description: 'every object' }],
  environments: ['staging', 'production'],
  pathPrefix: 'web',
  created: '2026-01-02T03:04:05Z',
  annotations: {},
  tools: [],
  flags: {},
};

const digestOf = (change: Partial<PackageInput> = {}) =>
  packageComponent({ ...INPUT, ...change }).manifest.descriptor.digest;

describe('packageComponent', () => {
  it.each<[string, Partial<PackageInput>]>([
    ['files in another order', { files: [...INPUT.files].reverse() }],
    ['environments in another order', { environments: ['production', 'staging'] }],
    ['another attempt by someone else', { build: { ...BUILD, runAttempt: '9', actor: 'hubot' } }],
  ])('gives the same digest with %s', (_what, change) => {
    expect(digestOf(change)).toBe(digestOf());
  });

  it.each<[string, Partial<PackageInput>]>([
    ['content', { files: [file('staging/a.yaml', 'c')] }],
    ['place in the archive', { pathPrefix: '' }],
    ['component', { component: 'api' }],
    ['commit', { build: { ...BUILD, sha: 'f'.repeat(40) } }],
    ['run', { build: { ...BUILD, runId: '1' } }],
    ['annotation', { annotations: { 'com.example.team': 'shop' } }],
  ])('gives another digest for another %s', (_what, change) => {
    expect(digestOf(change)).not.toBe(digestOf());
  });

  it('claims checks only when some ran', () => {
    expect([...packageComponent(INPUT).statements.keys()]).toEqual([
      PREDICATE.provenance,
      PREDICATE.sbom,
      PREDICATE.checks,
    ]);
    const unchecked = packageComponent({ ...INPUT, checks: [] });
    expect([...unchecked.statements.keys()]).toEqual([PREDICATE.provenance, PREDICATE.sbom]);
  });
});

describe('writePackages', () => {
  it('replaces layout and statements as a whole', async () => {
    await withDirectory(async (root) => {
      const dir = workDir(root);
      const [web, api] = [packageComponent(INPUT), packageComponent({ ...INPUT, component: 'api', pathPrefix: 'api' })];
      await writePackages(dir, [web, api]);
      const found = await findArtifact(dir.layout, 'api', undefined);
      expect(found).toMatchObject({ component: 'api', manifest: api.manifest.descriptor, bundles: [] });
      const statement = await readFile(join(dir.statements, 'web', 'sbom-cyclonedx.json'), 'utf8');
      expect(statement).toBe(canonicalJson(web.statements.get(PREDICATE.sbom)));
      await writePackages(dir, [web]);
      await expect(findArtifact(dir.layout, 'api', undefined)).rejects.toMatchObject({
        code: 'LAYOUT_ARTIFACT_MISSING',
      });
      await expect(readFile(join(dir.statements, 'api', 'provenance.json'))).rejects.toThrow('ENOENT');
    });
  });

  it("holds the bundles of each component apart: a damaged one is its own component's fault only", async () => {
    await withDirectory(async (root) => {
      const dir = workDir(root);
      const [web, api] = [packageComponent(INPUT), packageComponent({ ...INPUT, component: 'api', pathPrefix: 'api' })];
      await writePackages(dir, [web, api]);
      const bundle = { predicateType: PREDICATE.signature, signedAt: new Date(0) };
      const entries: Descriptor[] = [];
      for (const { component, manifest } of [web, api]) {
        const artifact = { component, manifest: manifest.descriptor };
        const bytes = Buffer.from(`bundle of ${component}`);
        entries.push(await writeBundle(dir.layout, artifact, { ...bundle, bytes }));
      }
      await addEntries(dir.layout, entries);
      await rm(join(dir.layout, 'blobs', 'sha256', hexOf(sha256('bundle of web'))));
      const { bundles } = await findArtifact(dir.layout, 'api', api.manifest.descriptor.digest);
      expect(bundles.map((stored) => Buffer.from(stored.bundle).toString())).toEqual(['bundle of api']);
      await expect(findArtifact(dir.layout, 'web', undefined)).rejects.toMatchObject({ code: 'LAYOUT_BLOB_MISSING' });
    });
  });

  it('leaves an artifact that cannot be taken for another one', async () => {
    await withDirectory(async (root) => {
      const dir = workDir(root);
      const web = packageComponent(INPUT);
      await writePackages(dir, [web]);
      const { digest } = web.manifest.descriptor;
      const other = digestOf({ component: 'api' });
      await expect(findArtifact(dir.layout, 'web', other)).rejects.toMatchObject({
        code: 'LAYOUT_ARTIFACT_MISSING',
        problem: { details: [`holds web ${digest}`] },
      });
      await expect(findArtifact(dir.layout, 'web', digest)).resolves.toMatchObject({ component: 'web' });
      const index = join(dir.layout, 'index.json');
      await writeFile(index, (await readFile(index, 'utf8')).replaceAll('"web"', '"api"'));
      await expect(findArtifact(dir.layout, 'web', digest)).rejects.toMatchObject({ code: 'LAYOUT_ARTIFACT_MISSING' });
    });
  });
});
