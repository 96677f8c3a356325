import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTar, type TreeFile, treeEntries, treeFiles, writeTar } from '@gitless/artifact';
import { canonicalJson, sha256 } from '@gitless/core';
import type { ActionRun } from '@gitless/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json } from './raw.ts';
import { deployment, inNewJob } from './steps.ts';
import { requireSuccess, startWorld, type World } from './support.ts';

let world: World;
let files: readonly TreeFile[];

beforeAll(async () => {
  world = await startWorld({
    files: {
      'gitless.yaml': 'schema: 1\ncomponents: [{name: web, path: apps/web, engine: plain}]\n',
      'apps/web/staging/web.yaml': deployment('web'),
      'apps/web/production/web.yaml': deployment('web'),
    },
  });
  const rendered = requireSuccess(await world.run('render'));
  files = treeFiles(readTar(await readFile(rendered.outputs['tar'] ?? '')));
});
afterAll(() => world.close());

interface Claim {
  readonly name: string;
  readonly path: string;
  readonly environments: string[];
  readonly files: { path: string; sha256: string }[];
}

/** What a compromised render job can hand over: any tar, with the digest that it claims. */
async function packaged(forge: (components: Claim[]) => unknown[], more: Readonly<Record<string, string>> = {}) {
  const result = files.find(({ path }) => path === 'render.json');
  const claims: { components: Claim[] } = JSON.parse(Buffer.from(result?.content ?? []).toString());
  const text = (path: string, content: string) => ({ path, content: Buffer.from(content), executable: false });
  const tar = writeTar(
    treeEntries([
      text('render.json', canonicalJson({ ...claims, components: forge(claims.components) })),
      ...files.filter(({ path }) => path !== 'render.json'),
      ...Object.entries(more).map(([path, content]) => text(`rendered/${path}`, content)),
    ]),
  );
  return inNewJob(world, async (job) => {
    const file = join(job.temp, 'forged.tar');
    await writeFile(file, tar);
    const run = await job.run('package', { rendered: file, 'rendered-digest': sha256(tar) });
    const written = run.outputs['result'];
    return { ...run, result: written === undefined ? undefined : json(await readFile(written)) };
  });
}

function refused(run: ActionRun, code: string, ...says: string[]): void {
  expect(run.exitCode, run.log).toBe(1);
  for (const part of [`[${code}]`, ...says]) {
    expect(run.annotations[0]?.message).toContain(part);
  }
  expect(run.outputs['digest'] ?? '').toBe('');
}

function withFile(path: string, content: string) {
  return packaged(
    (components) =>
      components.map((component) => ({
        ...component,
        files: [...component.files, { path, sha256: sha256(Buffer.from(content)) }],
      })),
    { [`web/${path}`]: content },
  );
}

describe('a compromised render job', () => {
  it('is believed about nothing but the tree: the path is that of this checkout', async () => {
    const run = await packaged((components) => components.map((one) => ({ ...one, path: 'apps/elsewhere' })));
    requireSuccess(run);
    expect(run.result).toMatchObject({ components: [{ name: 'web', path: 'apps/web' }] });
  });

  it('cannot ship a component that is not of this repository', async () => {
    const run = await packaged(
      (components) => [...components, ...components.map((one) => ({ ...one, name: 'payments' }))],
      {
        'payments/staging/deployment-web.yaml': deployment('web'),
        'payments/production/deployment-web.yaml': deployment('web'),
      },
    );
    refused(run, 'COMPONENT_UNKNOWN', 'payments');
  });

  it.each([
    // The cluster would drop what the signed tree shows.
    ['.sourceignore', '*\n'],
    ['production/.sourceignore', 'deployment-*.yaml\n'],
    // The cluster would drop this one by default.
    ['production/cloudbuild.yaml', deployment('guard')],
    // The cluster would build from it in place of the documents.
    ['production/kustomization.yaml', 'resources: []\n'],
    ['production/Kustomization', 'resources: []\n'],
    ['elsewhere/deployment-web.yaml', deployment('web')],
    ['deployment-web.yaml', deployment('web')],
    ['production/deep/deployment-x.yaml', deployment('x')],
    ['production/run.sh', '#!/bin/sh\n'],
  ])('cannot put %s into the artifact', async (path, content) => {
    refused(await withFile(path, content), 'RENDERED_CHANGED', path);
  });

  it.each(['../../outside.yaml', 'production/../../x.yaml', '/etc/passwd'])('cannot name the file %s', async (path) => {
    const run = await packaged((components) =>
      components.map((one) => ({ ...one, files: [{ path, sha256: sha256('') }] })),
    );
    refused(run, 'RENDERED_CHANGED');
  });

  it('cannot leave the environments out', async () => {
    refused(await packaged((components) => components.map(({ environments: _, ...one }) => one)), 'RENDERED_CHANGED');
  });
});
