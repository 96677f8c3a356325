import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectArtifact } from './artifact-expectations.ts';
import { at, blobOf, json, listAt, readGzip, readUstar, referrersOf, storedManifest, textAt } from './raw.ts';
import { deployment, inNewJob, promote } from './steps.ts';
import { requireSuccess, startWorld, type World } from './support.ts';

const GITLESS = `schema: 1
components:
  - {name: web, path: apps/web, engine: plain}
  - {name: api, path: apps/api, engine: plain}
  - {pattern: "jobs/*", ignore: ["jobs/_*"], engine: plain}
`;

const FILES = {
  'gitless.yaml': GITLESS,
  'apps/web/staging/all.yaml': `${deployment('web')}---\n${deployment('worker')}`,
  'apps/web/production/all.yaml': deployment('web', 'registry.example.test/web:0.9.0'),
  'apps/api/deployment.yaml': deployment('api'),
  'jobs/cleanup/job.yaml': deployment('cleanup'),
  'jobs/_shared/note.yaml': deployment('shared'),
};

const NAMES = ['api', 'cleanup', 'web'] as const;

describe('three components of one gitless.yaml', () => {
  let world: World;
  let digests: unknown;

  beforeAll(async () => {
    world = await startWorld({ files: FILES });
    for (const step of ['render', 'package', 'sign'] as const) {
      requireSuccess(await world.run(step));
    }
    const pushed = requireSuccess(await world.run('push', { tags: 'latest, next' }));
    digests = json(pushed.outputs['digests'] ?? '');
    expect(pushed.outputs).toMatchObject({ digest: '', reference: '', pushed: 'true' });
  });
  afterAll(() => world.close());

  it('become one artifact each, in one repository each', () => {
    expect(Object.keys(Object(digests))).toEqual(NAMES);
    const expected = {
      api: {
        path: 'apps/api',
        environments: 'default',
        files: { 'api/default/deployment-api.yaml': deployment('api') },
      },
      cleanup: {
        path: 'jobs/cleanup',
        environments: 'default',
        files: { 'cleanup/default/deployment-cleanup.yaml': deployment('cleanup') },
      },
      web: {
        path: 'apps/web',
        environments: 'production,staging',
        files: {
          'web/production/deployment-web.yaml': deployment('web', 'registry.example.test/web:0.9.0'),
          'web/staging/deployment-web.yaml': deployment('web'),
          'web/staging/deployment-worker.yaml': deployment('worker'),
        },
      },
    };
    for (const component of NAMES) {
      const repository = `acme/${component}`;
      expectArtifact(world, { component, repository, digest: textAt(digests, component), ...expected[component] });
    }
  });

  it('get a build tag each, then their channels one after the other, all tags of one naming one digest', () => {
    const build = `b-${world.workspace.sha.slice(0, 12)}-16234567890`;
    const tagged = (component: string, tag: string) => ({
      repository: `acme/${component}`,
      tag,
      digest: textAt(digests, component),
    });
    const history = world.registry.tagHistory;
    const buildTags = history.slice(0, NAMES.length).sort((a, b) => (a.repository < b.repository ? -1 : 1));
    expect(buildTags).toEqual(NAMES.map((component) => tagged(component, build)));
    const channels = NAMES.flatMap((component) => ['latest', 'next'].map((tag) => tagged(component, tag)));
    expect(history.slice(NAMES.length)).toEqual(channels);
  });

  it('are promoted by the output digests of push, those that the filter leaves', async () => {
    const promoted = requireSuccess(
      await promote(world, { from: JSON.stringify(digests), components: 'api, web', version: 'v1.0.0' }),
    );
    expect(json(promoted.outputs['digests'] ?? '')).toEqual({
      api: textAt(digests, 'api'),
      web: textAt(digests, 'web'),
    });
    expect(promoted.outputs).toMatchObject({ digest: '', promoted: 'true' });
    expect(world.registry.tags('acme/web').get('stable')).toBe(textAt(digests, 'web'));
    expect(world.registry.tags('acme/cleanup').has('stable')).toBe(false);
  });

  it('can be packed as they are in git, without rendering', async () => {
    await inNewJob(world, async (job) => {
      requireSuccess(await job.run('package', { unrendered: 'true' }));
      requireSuccess(await job.run('sign'));
      const pushed = requireSuccess(await job.run('push', { registry: `${world.registry.host}/unrendered` }));
      const digest = textAt(json(pushed.outputs['digests'] ?? ''), 'web');
      const manifest = json(storedManifest(world.registry, 'unrendered/web', digest).bytes);
      const { content } = readGzip(blobOf(world.registry, at(manifest, 'layers', 0)));
      expect(readUstar(content).map((entry) => [entry.name, entry.content])).toEqual([
        ['.', ''],
        ['web', ''],
        ['web/production', ''],
        ['web/production/all.yaml', FILES['apps/web/production/all.yaml']],
        ['web/staging', ''],
        ['web/staging/all.yaml', FILES['apps/web/staging/all.yaml']],
      ]);
      expect(at(manifest, 'annotations')).not.toHaveProperty(['dev.gitless.environments']);
    });
  });
});

describe('one component that fails', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({
      files: { ...FILES, 'apps/api/deployment.yaml': 'kind: Deployment\nmetadata: {name: no version}\n' },
    });
  });
  afterAll(() => world.close());

  it('is named by every step, and the others are shipped', async () => {
    for (const step of ['render', 'package', 'sign', 'push'] as const) {
      const run = await world.run(step);
      expect(run.exitCode, run.log).toBe(1);
      expect(run.annotations).toHaveLength(1);
      expect(run.annotations[0]?.message).toContain('[COMPONENTS_FAILED]');
      expect(run.annotations[0]?.message).toContain('api');
      expect(run.log).not.toMatch(/^\s+at /m);
      const result = json(await readFile(run.outputs['result'] ?? ''));
      expect(listAt(result, 'components').map((entry) => [at(entry, 'name'), at(entry, 'status')])).toEqual([
        ['api', 'failed'],
        ['cleanup', 'ok'],
        ['web', 'ok'],
      ]);
      if (step !== 'render') {
        expect(Object.keys(Object(json(run.outputs['digests'] ?? '')))).toEqual(['cleanup', 'web']);
      }
      expect(run.summary).toContain('| api |');
    }
    for (const component of ['cleanup', 'web']) {
      const digest = world.registry.tags(`acme/${component}`).get('latest') ?? '';
      expect(referrersOf(world.registry, `acme/${component}`, digest)).toHaveLength(4);
    }
    expect(world.registry.manifests('acme/api')).toEqual([]);
  });

  it('in the registry does not stop the others either', async () => {
    world.registry.onRequest = ({ method, path }) =>
      method === 'PUT' && path.startsWith('/v2/shop/cleanup/manifests/') ? { kind: 'status', status: 500 } : undefined;
    const run = await world.run('push', { registry: `${world.registry.host}/shop` });
    world.registry.onRequest = undefined;
    expect(run.exitCode).toBe(1);
    expect(Object.keys(Object(json(run.outputs['digests'] ?? '')))).toEqual(['web']);
    expect(run.outputs).toMatchObject({ pushed: 'true', digest: '', reference: '' });
    expect(run.annotations[0]?.message).toContain('cleanup: ');
    expect([...world.registry.tags('shop/web').keys()]).toContain('latest');
    expect([...world.registry.tags('shop/cleanup')]).toEqual([]);
    const digests = json(run.outputs['digests'] ?? '');
    const from = `web=${textAt(digests, 'web')}\ncleanup=sha256:${'0'.repeat(64)}`;
    const promoted = await promote(world, { from, registry: `${world.registry.host}/shop`, version: 'v1.0.0' });
    expect(promoted.exitCode).toBe(1);
    expect(json(promoted.outputs['digests'] ?? '')).toEqual(digests);
    expect(promoted.outputs).toMatchObject({ promoted: 'true', digest: '', 'previous-digest': '', 'record-path': '' });
  });

  it('still counts where one place is named for a single one', async () => {
    const run = await world.run('push', { repository: `${world.registry.host}/one/place` });
    expect(run.annotations[0]?.message).toContain('repository names one place for several components');
    expect(world.registry.manifests('one/place')).toEqual([]);
  });
});
