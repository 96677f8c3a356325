import { type Build, isDigest, UserError } from '@gitless/core';
import type { RegistryClient } from '@gitless/oci';
import type { TrustedRoot } from '@gitless/signing';
import type { Identity } from './verify-artifact.ts';

/** Where production lives, and where the candidate is. */
export interface PromotionPlace {
  readonly client: RegistryClient;
  readonly repository: string;
}

export interface PromotionRequest {
  readonly component: string;
  /** A digest; a tag only for a plan. */
  readonly from: string;
  readonly version: string;
  readonly channel: string;
  readonly expectedCurrent: string | undefined;
  readonly environment: string | undefined;
  readonly reason: string | undefined;
  readonly build: Build;
  readonly optIns: readonly string[];
  readonly source: PromotionPlace;
  readonly target: PromotionPlace;
  readonly trustedRoot: TrustedRoot;
  /** Who must have shipped it. */
  readonly shipper: Identity;
  /** Who promotes: this run's own identity, whose earlier promotions count. */
  readonly promoter: Identity;
}

/** A place as promotion statements write it, `registry/repository`. */
export function placeName({ client, repository }: PromotionPlace): string {
  return `${client.registry}/${repository}`;
}

/** Invariant 3: what was approved is a digest. Throws `TAG_NOT_DIGEST`. */
export function requireDigestUnlessPlan(component: string, from: string, dryRun: boolean): void {
  if (!isDigest(from) && !dryRun) {
    throw new UserError({
      code: 'TAG_NOT_DIGEST',
      what: `promote got ${JSON.stringify(from)} for ${component}, where a digest is due`,
      why: 'a tag can move between the approval and the promotion',
      fix: 'let the preview job (dry-run: true) resolve the tag, and hand its digest to the gated job',
    });
  }
}
