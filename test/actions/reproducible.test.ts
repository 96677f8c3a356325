import { chmod, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createWorkspace, type RunOptions, type Workspace } from '@gitless/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, inNewJob } from './steps.ts';
import { requireSuccess, startWorld, type World } from './support.ts';

const FILES = {
  'gitless.yaml':
    'schema: 1\ncomponents:\n  - {name: web, path: web, engine: plain}\n  - {name: api, path: api, engine: plain}\n',
  'web/staging/Z.yaml': deployment('zebra'),
  'web/staging/a.yaml': `${deployment('web')}---\n${deployment('apple')}`,
  'web/production/a-b.yaml': deployment('web'),
  'web/production/a.b.yaml': deployment('worker'),
  'api/api.yaml': deployment('api'),
  'api/ä.yaml': deployment('umlaut'),
  'api/hook.sh': '#!/bin/sh\nexit 0\n',
};

/** Machines that must not show in a digest. */
const MACHINES: readonly (readonly [string, Partial<RunOptions>])[] = [
  ['a narrow umask', { umask: 0o077 }],
  ['no umask', { umask: 0 }],
  ['another time zone', { env: { TZ: 'Pacific/Kiritimati' } }],
  ['another locale', { env: { LANG: 'tr_TR.UTF-8', LC_ALL: 'sv_SE.UTF-8' } }],
  [
    'another attempt by someone else on another runner',
    {
      env: {
        GITHUB_RUN_ATTEMPT: '7',
        GITHUB_ACTOR: 'hubot',
        RUNNER_NAME: 'other',
        RUNNER_TOOL_CACHE: '/cache',
        HOSTNAME: 'x',
      },
    },
  ],
];

describe('the same input', () => {
  let world: World;
  let shuffled: Workspace;
  let expected: string;
  beforeAll(async () => {
    world = await startWorld({ files: FILES });
    shuffled = await createWorkspace(Object.fromEntries(Object.entries(FILES).reverse()));
    expected = await packed({});
  });
  afterAll(() => Promise.all([world.close(), shuffled.cleanup()]));

  /** The digests of both components, made in a job of its own: rendered and as they are. */
  async function packed(options: Partial<RunOptions>): Promise<string> {
    return inNewJob(world, async (job) => {
      requireSuccess(await job.run('render', {}, options));
      const rendered = requireSuccess(await job.run('package', {}, options));
      const index = await readFile(join(job.temp, 'gitless', 'layout', 'index.json'), 'utf8');
      await rm(join(job.temp, 'gitless'), { recursive: true });
      const plain = requireSuccess(await job.run('package', { unrendered: 'true' }, options));
      return [index, rendered.outputs['digests'], plain.outputs['digests']].join('\n');
    });
  }

  it.each(MACHINES)('gives the same digests with %s', async (_what, options) => {
    expect(await packed(options)).toBe(expected);
  });

  it('gives the same digests from files written in another order under another umask', async () => {
    expect(shuffled.sha).toBe(world.workspace.sha);
    const strict = Object.keys(FILES).map((path) => chmod(join(shuffled.dir, path), 0o600));
    await Promise.all(strict);
    expect(await packed({ workspace: shuffled })).toBe(expected);
  });

  it('means the run too: another run is another build', async () => {
    expect(await packed({ env: { GITHUB_RUN_ID: '7' } })).not.toBe(expected);
  });
});
