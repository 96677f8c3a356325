import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActionRun } from '@gitless/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, json, listAt, referrersOf } from './raw.ts';
import { deployment, inNewJob, PROVENANCE } from './steps.ts';
import { requireSuccess, startWorld, type World } from './support.ts';

describe('rendering in a job of its own', () => {
  let world: World;
  let rendered: ActionRun;
  let tar: string;
  let tarDigest: string;

  beforeAll(async () => {
    world = await startWorld({
      files: {
        'gitless.yaml': 'schema: 1\ncomponents: [{pattern: "apps/*", engine: plain}]\n',
        'apps/web/staging/web.yaml': deployment('web'),
        'apps/web/production/web.yaml': deployment('web').replace('name: web\n', 'name: "system:web"\n'),
        'apps/api/api.yaml': deployment('api'),
      },
    });
    rendered = requireSuccess(await world.run('render'));
    tar = rendered.outputs['tar'] ?? '';
    tarDigest = rendered.outputs['tar-digest'] ?? '';
  });
  afterAll(() => world.close());

  /** package in an empty job that has nothing but the tar. */
  function packed(
    inputs: Record<string, string | undefined> = {},
    env: Record<string, string> = {},
    then: (job: World, run: ActionRun) => Promise<void> = async () => undefined,
  ): Promise<ActionRun> {
    return inNewJob(world, async (job) => {
      await copyFile(tar, join(job.temp, 'render.tar'));
      const handover = { rendered: join(job.temp, 'render.tar'), 'rendered-digest': tarDigest, ...inputs };
      const run = await job.run('package', given(handover), { env });
      await then(job, run);
      return run;
    });
  }

  it('gives the same digests as in one job, and ships from there', async () => {
    const inOneJob = requireSuccess(await world.run('package'));
    await packed({}, { GITHUB_JOB: 'ship' }, async (job, run) => {
      expect(requireSuccess(run).outputs['digests']).toBe(inOneJob.outputs['digests']);
      requireSuccess(await job.run('sign'));
      const pushed = requireSuccess(await job.run('push'));
      expect(pushed.outputs['digests']).toBe(inOneJob.outputs['digests']);
    });
    const digest = world.registry.tags('acme/web').get('latest') ?? '';
    const provenance = referrersOf(world.registry, 'acme/web', digest).find(
      (found) => found.predicateType === PROVENANCE,
    );
    const byproducts = listAt(provenance?.statement, 'predicate', 'runDetails', 'byproducts');
    expect(byproducts).toContainEqual({
      name: 'render-report',
      digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      annotations: { reportedBy: 'render job' },
    });
  });

  it('takes the tree of another attempt of the same run', async () => {
    requireSuccess(await packed({}, { GITHUB_RUN_ATTEMPT: '2' }));
  });

  it.each([
    ['another digest', { 'rendered-digest': `sha256:${'0'.repeat(64)}` }, {}, 'RENDERED_CHANGED'],
    ['no digest', { 'rendered-digest': undefined }, {}, 'BAD_INPUTS'],
    ['no tar', { rendered: '/nowhere/render.tar' }, {}, 'FILE_UNREADABLE'],
    ['another run', {}, { GITHUB_RUN_ID: '7' }, 'RESULT_STALE'],
    ['another commit', {}, { GITHUB_SHA: 'f'.repeat(40) }, 'RESULT_STALE'],
    ['another repository', {}, { GITHUB_REPOSITORY: 'acme/other' }, 'RESULT_STALE'],
  ])('refuses the tree with %s', async (_what, inputs, env, code) => {
    const run = await packed(inputs, env);
    expect(run.exitCode).toBe(1);
    expect(run.annotations[0]?.message).toContain(`[${code}]`);
    expect(run.outputs).toEqual({});
  });

  it('refuses a tar that was changed on the way', async () => {
    await inNewJob(world, async (job) => {
      const changed = (await readFile(tar, 'latin1')).replace('registry.example.test', 'registry.example.evil');
      await writeFile(join(job.temp, 'render.tar'), changed, 'latin1');
      const inputs = { rendered: join(job.temp, 'render.tar'), 'rendered-digest': tarDigest };
      const run = await job.run('package', inputs);
      expect(run.annotations[0]?.message).toContain('[RENDERED_CHANGED]');
    });
  });

  it.each([
    ['render', 'package', 'STEP_MISSING'],
    ['package', 'sign', 'STEP_MISSING'],
    ['sign', 'push', 'STEP_MISSING'],
  ] as const)('needs the result of %s before %s', async (former, step, code) => {
    await inNewJob(world, async (job) => {
      const run = await job.run(step);
      expect(run.exitCode).toBe(1);
      expect(run.annotations[0]?.message).toContain(`[${code}]`);
      expect(run.annotations[0]?.message).toContain(former);
    });
  });

  it('refuses what another run left in the same work-dir, at every step, and no former result stays', async () => {
    requireSuccess(await world.run('package'));
    requireSuccess(await world.run('sign'));
    for (const step of ['package', 'sign', 'push'] as const) {
      const run = await world.run(step, {}, { env: { GITHUB_RUN_ID: '7' } });
      expect(run.annotations[0]?.message).toContain('[RESULT_STALE]');
      await expect(readFile(join(world.temp, 'gitless', 'result', `${step}.json`))).rejects.toThrow('ENOENT');
      requireSuccess(await world.run(step));
    }
    const result = json(await readFile(join(world.temp, 'gitless', 'result', 'push.json')));
    expect(at(result, 'build', 'runId')).toBe('16234567890');
  });
});

function given(inputs: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
