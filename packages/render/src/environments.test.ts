import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { detectEngine, type Engine } from './engine.ts';
import { resolveEnvironments } from './environments.ts';
import { folder, problemOf, removeFolders } from './fixtures.ts';

afterAll(removeFolders);

async function resolved(files: readonly string[], engine: Engine, environments: readonly string[] = [], path = 'app') {
  const workspace = await folder(Object.fromEntries(files.map((file) => [file, 'a: 1\n'])));
  const found = await resolveEnvironments({ directory: join(workspace, path), workspace, engine, environments });
  return found.map(({ name, directory }) => `${name} ${directory?.slice(workspace.length + 1) ?? '–'}`);
}

describe('resolveEnvironments', () => {
  it.each<[string, string[], Engine, string[], string, string[]]>([
    ['placeholder, named', ['app/eu/x.yaml'], 'plain', ['eu'], 'app/{environment}', ['eu app/eu']],
    [
      'placeholder, found',
      ['oci/base/web/x.yaml', 'oci/eu/web/x.yaml', 'oci/us/web/x.yaml', 'oci/zz/other/x.yaml'],
      'plain',
      [],
      'oci/{environment}/web',
      ['eu oci/eu/web', 'us oci/us/web'],
    ],
    [
      'placeholder within a segment',
      ['app/env-eu.d/kustomization.yaml', 'app/env-.d/x', 'app/eu.d/x'],
      'kustomize',
      [],
      'app/env-{environment}.d',
      ['eu app/env-eu.d'],
    ],
    [
      'folder, then overlays',
      ['app/eu/x.yaml', 'app/overlays/us/x.yaml'],
      'plain',
      ['us', 'eu'],
      'app',
      ['us app/overlays/us', 'eu app/eu'],
    ],
    [
      'kustomize takes a folder with a kustomization only',
      ['app/eu/README.md', 'app/overlays/eu/kustomization.yaml'],
      'kustomize',
      ['eu'],
      'app',
      ['eu app/overlays/eu'],
    ],
    [
      'kustomize, found',
      ['app/base/kustomization.yaml', 'app/overlays/us/Kustomization', 'app/eu/kustomization.yml', 'app/docs/x.yaml'],
      'kustomize',
      [],
      'app',
      ['eu app/eu', 'us app/overlays/us'],
    ],
    [
      'folders below a kustomization are its parts',
      ['app/kustomization.yaml', 'app/db/kustomization.yaml'],
      'kustomize',
      [],
      'app',
      ['default app'],
    ],
    [
      'plain, found',
      ['app/eu/x.yaml', 'app/us/x.yaml', 'app/base/x.yaml', 'app/.x/y.yaml'],
      'plain',
      [],
      'app',
      ['eu app/eu', 'us app/us'],
    ],
    ['plain with YAML of its own', ['app/x.yaml', 'app/eu/x.yaml'], 'plain', [], 'app', ['default app']],
    ['a chart has one folder', ['app/Chart.yaml', 'app/templates/x.yaml'], 'helm', [], 'app', ['default app']],
    ['a chart for each name', ['app/Chart.yaml'], 'helm', ['eu', 'us', 'eu'], 'app', ['eu app', 'us app']],
  ])('%s', async (_name, files, engine, environments, path, expected) => {
    expect(await resolved(files, engine, environments, path)).toEqual(expected);
  });

  it('gives back those that are not there without a folder', async () => {
    const found = await resolved(['app/eu/x.yaml'], 'plain', ['us', 'eu', 'asia']);
    expect(found).toEqual(['us –', 'eu app/eu', 'asia –']);
  });

  it.each<[string[], string[], string]>([
    [['app/Prod/x.yaml'], [], 'BAD_NAME'],
    [['app/eu/x.yaml'], ['../eu'], 'BAD_NAME'],
    [['other/x.yaml'], [], 'PATH_MISSING'],
    [['other/x.yaml'], ['eu'], 'PATH_MISSING'],
  ])('refuses %j with %j', async (files, environments, code) => {
    expect(await problemOf(() => resolved(files, 'plain', environments))).toMatchObject({ code });
  });

  it('refuses a path that leaves the workspace, also by a link', async () => {
    const outside = await folder({ 'eu/x.yaml': 'a: 1\n' });
    const workspace = await folder({ 'x.yaml': 'a: 1\n' });
    await symlink(outside, join(workspace, 'link'));
    for (const directory of [
      outside,
      join(workspace, 'link'),
      join(workspace, '..'),
      join(workspace, '../{environment}'),
    ]) {
      const spec = { directory, workspace, engine: 'plain' as const, environments: ['eu'] };
      expect(await problemOf(() => resolveEnvironments(spec))).toMatchObject({ code: 'PATH_ESCAPES' });
    }
  });
});

describe('detectEngine', () => {
  it.each<[string, string[], string, Engine]>([
    ['a chart', ['app/Chart.yaml', 'app/ci/kustomization.yaml'], 'app', 'helm'],
    ['a kustomization', ['app/Kustomization'], 'app', 'kustomize'],
    ['overlays', ['app/overlays/eu/kustomization.yml', 'app/base/x.yaml'], 'app', 'kustomize'],
    ['folders of environments', ['app/eu/kustomization.yaml'], 'app/{environment}', 'kustomize'],
    ['manifests', ['app/x.yaml'], 'app', 'plain'],
  ])('%s', async (_name, files, path, engine) => {
    const root = await folder(Object.fromEntries(files.map((file) => [file, 'a: 1\n'])));
    expect(await detectEngine(join(root, path))).toBe(engine);
  });

  it('asks when a folder is both', async () => {
    const root = await folder({ 'Chart.yaml': 'name: a\n', 'kustomization.yaml': 'resources: []\n' });
    expect(await problemOf(() => detectEngine(root))).toMatchObject({ code: 'ENGINE_AMBIGUOUS' });
  });
});
