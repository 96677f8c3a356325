import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fluxResources, parseConfig } from '@gitless/pipeline';
import { type ActionRun, createWorkspace, runAction } from '@gitless/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { files, read, validator } from './support.ts';

function exampleFiles(folder: string): Record<string, string> {
  return Object.fromEntries(files(`${folder}/**/*.yaml`).map((path) => [relative(folder, path), read(path)]));
}

function documents(text: string): unknown[] {
  return parseAllDocuments(text).map((document) => document.toJS());
}

/** Checks a step's result by its published schema, and gives back what it says of the components. */
async function componentsOf(run: ActionRun): Promise<unknown> {
  expect(run.log).not.toContain('##[error]');
  const result = JSON.parse(await readFile(run.outputs['result'] ?? '', 'utf8'));
  const valid = validator('result.schema.json');
  valid(result);
  expect(valid.errors).toBeNull();
  return result.components;
}

describe('examples', () => {
  let temp: string;
  beforeEach(async () => {
    temp = await mkdtemp(join(tmpdir(), 'gitless-example-'));
  });
  afterEach(() => rm(temp, { recursive: true, force: true }));

  it('render and pack the plain component of the applications', async () => {
    const workspace = await createWorkspace(exampleFiles('examples/apps'));
    const rendered = await runAction({ action: 'render', workspace, temp, inputs: { components: 'settings' } });
    const settings = { name: 'settings', status: 'ok', environments: ['staging', 'production'] };
    expect(await componentsOf(rendered)).toMatchObject([settings]);
    const { tar = '', 'tar-digest': digest = '' } = rendered.outputs;
    const inputs = { rendered: tar, 'rendered-digest': digest };
    const packaged = await runAction({ action: 'package', workspace, temp, inputs });
    expect(await componentsOf(packaged)).toMatchObject([settings]);
    await workspace.cleanup();
  });

  it.each([
    ['examples/infra', 'certificates'],
    ['examples/fleet', 'fleet'],
  ])('%s packs %s as it is', async (folder, component) => {
    const workspace = await createWorkspace(exampleFiles(folder));
    const packaged = await runAction({ action: 'package', workspace, temp, inputs: { unrendered: 'true' } });
    expect(await componentsOf(packaged)).toMatchObject([{ name: component, status: 'ok' }]);
    await workspace.cleanup();
  });

  it.each([
    ['staging', 'latest', 'ghcr.io/acme', 'apps/.github/workflows/ship.yml'],
    ['production', 'stable', 'ghcr.io/acme/production', 'production/.github/workflows/promote.yml'],
  ])('hold for %s what the summaries print', (environment, tag, registry, workflow) => {
    const { components = [] } = parseConfig(read('examples/apps/gitless.yaml'), 'gitless.yaml');
    for (const component of components.flatMap((entry) => ('name' in entry ? [entry.name] : []))) {
      const resources = fluxResources({
        component,
        repository: `${registry}/${component}`,
        tag,
        issuer: 'https://token.actions.githubusercontent.com',
        subject: `https://github.com/acme/${workflow}@refs/heads/main`,
        environments: [environment],
        pathPrefix: component,
      });
      expect(documents(read(`examples/fleet/${environment}/${component}.yaml`))).toEqual(documents(resources));
    }
  });

  it('are what docs/flux.md explains', () => {
    expect(read('docs/flux.md')).toContain(read('examples/fleet/staging/web.yaml'));
  });
});
