import { mkdir } from 'node:fs/promises';
import { parseJsonWith } from '@gitless/core';
import * as v from 'valibot';
import { PROMOTE_WORKFLOW } from '../actions/steps.ts';
import { actionRunner, requireSuccess, type World } from '../actions/support.ts';
import { pathWith } from '../peers/build-tools.ts';
import { type Cost, measure } from './measure.ts';
import type { Task } from './task.ts';
import { AUDIENCE } from './world.ts';

export interface Shipped {
  readonly digests: ReadonlyMap<string, string>;
  readonly steps: Readonly<Record<string, Cost>>;
}

/** render, package, sign and push as the bundles in `dist/`, each a process of its own, one after the other. */
export async function shipWithActions(task: Task): Promise<Shipped> {
  const run = await runner(task);
  const place = { registry: `${task.network.registry.host}/${task.candidates}` };
  const render = await measure(() => run('render', {}));
  const packaged = await measure(() => run('package', {}));
  const sign = await measure(() => run('sign', { 'oidc-audience': AUDIENCE }));
  const push = await measure(() => run('push', place));
  const { digest = '', digests = '' } = push.value;
  const [only = ''] = task.names;
  return {
    digests: task.names.length === 1 ? new Map([[only, digest]]) : new Map(Object.entries(parseDigests(digests))),
    steps: { render: render.cost, package: packaged.cost, sign: sign.cost, push: push.cost },
  };
}

/** promote, for all components in one process. */
export async function promoteWithActions(task: Task, digests: ReadonlyMap<string, string>): Promise<void> {
  const run = await runner(task, { GITHUB_WORKFLOW_REF: PROMOTE_WORKFLOW, GITHUB_EVENT_NAME: 'workflow_dispatch' });
  await run('promote', {
    'oidc-audience': AUDIENCE,
    from: [...digests].map(([name, digest]) => `${name}=${digest}`).join('\n'),
    version: 'v1.0.0',
    registry: `${task.network.registry.host}/${task.candidates}`,
    'to-registry': `${task.network.registry.host}/${task.production}`,
  });
}

/** Runs an action for its outputs; its steps of one job share the task's directory. */
async function runner({ network, workspace, temp }: Task, more: Readonly<Record<string, string>> = {}) {
  await mkdir(temp, { recursive: true });
  const env = { PATH: await pathWith('kustomize'), ...more };
  const run = actionRunner({ ...network, workspace, temp });
  return async (...[action, inputs]: Parameters<World['run']>): Promise<Readonly<Record<string, string>>> =>
    requireSuccess(await run(action, inputs, { env })).outputs;
}

function parseDigests(json: string): Record<string, string> {
  return parseJsonWith(v.record(v.string(), v.string()), Buffer.from(json), {
    code: 'BAD_OUTPUT',
    where: 'the output digests of push',
  });
}
