import { join } from 'node:path';
import { type Context, canonicalJson, type Settled } from '@gitless/core';
import {
  type Cell,
  failureOf,
  type PreparedPromotion,
  type PromotionPlan,
  type PromotionRequest,
  planPromotion,
  preparePromotion,
  tagPromoted,
  type WorkDir,
  writeFileAtomic,
} from '@gitless/pipeline';
import type { Signer } from '@gitless/signing';

/** One component before its tags: what was decided, without the evidence behind it. */
interface Prepared {
  readonly decision: Pick<Cell, 'status'> & Partial<Cell>;
  /** Absent when there is nothing to do, or nothing to be done but to plan. */
  readonly promotion?: PreparedPromotion;
}

/** Decides about one component and, given a signer, carries all to the target but the tags. */
export async function prepareOne(
  context: Context,
  request: PromotionRequest,
  signer: Signer | undefined,
): Promise<Prepared> {
  const plan = await planPromotion(context, request);
  const decision = { ...describePlan(plan), status: plan.done ? 'unchanged' : 'planned' } as const;
  return signer === undefined || plan.done
    ? { decision }
    : { decision, promotion: await preparePromotion(context, request, plan, signer) };
}

/** Moves the tags of what was prepared and says what became of the component, also when it failed. */
export async function promoteOne(
  dir: WorkDir,
  request: PromotionRequest,
  prepared: Settled<Prepared> | undefined,
): Promise<Cell> {
  const { component, channel, version, target } = request;
  const cell = { component, channel, version, repository: `${target.client.registry}/${target.repository}` };
  try {
    if (!prepared?.ok) {
      throw prepared?.error;
    }
    const { decision, promotion } = prepared.value;
    if (promotion === undefined) {
      return { ...cell, ...decision };
    }
    await tagPromoted(request, promotion);
    await writeFileAtomic(recordPath(dir, component), canonicalJson(promotion.record));
    return { ...cell, ...decision, status: 'promoted' };
  } catch (error) {
    return { ...cell, status: 'failed', error: failureOf(error) };
  }
}

function describePlan({ digest, current, changes, evidence, content }: PromotionPlan): Partial<Cell> {
  return {
    digest,
    environments: [...content.environments],
    pathPrefix: content.pathPrefix,
    ...(current === undefined ? {} : { previousDigest: current.digest }),
    ...(changes === undefined ? {} : { changes }),
    ...(evidence.rejected.length === 0
      ? {}
      : { leftBehind: evidence.rejected.map((rejected) => ({ digest: rejected.digest, reason: rejected.reason })) }),
  };
}

export function recordPath(dir: WorkDir, component: string): string {
  return join(dir.records, `${component}.json`);
}
