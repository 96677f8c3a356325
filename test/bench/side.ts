import { rm } from 'node:fs/promises';
import { PROMOTE_WORKFLOW } from '../actions/steps.ts';
import { promoteWithTools, shipWithTools } from './command-line.ts';
import { type Cost, measure } from './measure.ts';
import { promoteWithActions, shipWithActions } from './shipped-actions.ts';
import type { Task } from './task.ts';
import type { Network, Requests } from './world.ts';

/** Who does the work: our actions, or today's programs with one component at a time or eight. */
export const SIDES = ['actions', 'tools one by one', 'tools eight at a time'] as const;
export type Side = (typeof SIDES)[number];

export interface Sample {
  readonly cost: Cost;
  readonly requests: Requests;
  /** Of each action, where actions did it. */
  readonly steps?: Readonly<Record<string, Cost>>;
}

/** Ships and then promotes the components of a task. */
export async function runSide(side: Side, task: Task): Promise<{ readonly ship: Sample; readonly promote: Sample }> {
  const parallel = side === 'tools eight at a time' ? 8 : 1;
  const { network } = task;
  try {
    const ship = await sample(network, async () =>
      side === 'actions' ? shipWithActions(task) : { digests: await shipWithTools(task, parallel) },
    );
    const { digests } = ship.value;
    const promote = await asPromoter(network, () =>
      sample(network, () =>
        side === 'actions' ? promoteWithActions(task, digests) : promoteWithTools(task, digests, parallel),
      ),
    );
    const { cost, requests, value } = ship;
    return {
      ship: { cost, requests, ...('steps' in value ? { steps: value.steps } : {}) },
      promote: { cost: promote.cost, requests: promote.requests },
    };
  } finally {
    await rm(task.temp, { recursive: true, force: true });
  }
}

async function sample<T>(network: Network, work: () => Promise<T>) {
  const before = await network.requests();
  const { value, cost } = await measure(work);
  const after = await network.requests();
  const requests: Requests = {
    token: after.token - before.token,
    fulcio: after.fulcio - before.fulcio,
    rekor: after.rekor - before.rekor,
    tsa: after.tsa - before.tsa,
    registry: after.registry - before.registry,
  };
  return { value, cost, requests };
}

/** The promoting workflow has an identity of its own. */
async function asPromoter<T>({ issueFor }: Network, work: () => Promise<T>): Promise<T> {
  issueFor(PROMOTE_WORKFLOW);
  try {
    return await work();
  } finally {
    issueFor(undefined);
  }
}
