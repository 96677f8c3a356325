import { rm } from 'node:fs/promises';
import { PROMOTE_WORKFLOW } from '../actions/steps.ts';
import { promoteWithTools, shipWithTools } from './command-line.ts';
import { type Cost, measure } from './measure.ts';
import { promoteWithActions, shipWithActions } from './shipped-actions.ts';
import type { Task } from './task.ts';
import type { Network, Requests } from './world.ts';

/** Who does the work: our actions, or today's programs with one component at a time or eight. */
export type Side = 'actions' | 'tools one by one' | 'tools eight at a time';

export interface Sample {
  readonly cost: Cost;
  readonly requests: Requests;
  /** Of each action, where actions did it. */
  readonly steps?: Readonly<Record<string, Cost>>;
}

/** Ships the components of a task and, where `promote` says so, promotes them then. */
export async function runSide(
  side: Side,
  task: Task,
  { promote }: { readonly promote: boolean },
): Promise<{ readonly ship: Sample; readonly promote?: Sample }> {
  try {
    const shipped = await ship(side, task);
    if (!promote) {
      return { ship: shipped.sample };
    }
    const { sample } = await asPromoter(task.network, () =>
      sampled(task.network, () =>
        side === 'actions'
          ? promoteWithActions(task, shipped.digests)
          : promoteWithTools(task, shipped.digests, parallelism(side)),
      ),
    );
    return { ship: shipped.sample, promote: sample };
  } finally {
    await rm(task.temp, { recursive: true, force: true });
  }
}

async function ship(side: Side, task: Task) {
  if (side !== 'actions') {
    const { value: digests, sample } = await sampled(task.network, () => shipWithTools(task, parallelism(side)));
    return { digests, sample };
  }
  const { value, sample } = await sampled(task.network, () => shipWithActions(task));
  return { digests: value.digests, sample: { ...sample, steps: value.steps } };
}

function parallelism(side: Side): number {
  return side === 'tools eight at a time' ? 8 : 1;
}

async function sampled<T>(network: Network, work: () => Promise<T>): Promise<{ value: T; sample: Sample }> {
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
  return { value, sample: { cost, requests } };
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
