import {
  allBounded,
  type Context,
  type Digest,
  PREDICATE,
  REQUIRED_PREDICATES,
  runUrl,
  type Statement,
  statementAbout,
  UserError,
} from '@gitless/core';
import { copyArtifact } from '@gitless/oci';
import type { Promotion } from '@gitless/promotion';
import type { SignedStatement, Signer } from '@gitless/signing';
import * as v from 'valibot';
import { bundleReferrer } from './layout-store.ts';
import type { PromotionPlan } from './plan-promotion.ts';
import { type PromotionRequest, placeName } from './promotion-request.ts';
import { pushBundles, readBackManifest, setTag, type TaggableManifest, writeTagOnce } from './publish.ts';
import {
  type BundleReferrer,
  isSignedBy,
  readEvidence,
  requireEvidence,
  type VerifiedReferrer,
} from './verify-artifact.ts';

/** At the target and verified there; no version and no channel names it yet. Small: a job holds hundreds of them. */
export interface PreparedPromotion {
  /** The promotion statement that this run signed or found. */
  readonly record: Statement;
  readonly manifest: TaggableManifest;
  /** What the channel pointed to when it was planned. */
  readonly current: Digest | undefined;
}

/**
 * Carries out a plan up to its tags: copies the manifest and the verified referrers, adds this run's signature and promotion statement,
 * reads all back and verifies it at the target. A second run adds only what is missing.
 */
export async function preparePromotion(
  context: Context,
  request: PromotionRequest,
  plan: PromotionPlan,
  signer: Signer,
): Promise<PreparedPromotion> {
  const { source, target, component } = request;
  const { digest, manifest } = plan;
  if (source.client.registry !== target.client.registry || source.repository !== target.repository) {
    await copyArtifact({
      source: source.client,
      sourceRepository: source.repository,
      target: target.client,
      targetRepository: target.repository,
      manifest,
    });
  }
  const where = { repository: target.repository, digest };
  const trust = { root: request.trustedRoot, identities: [request.shipper, request.promoter] };
  const { referrers: there } = await readEvidence(context, target.client, where, trust, plan.evidence.referrers);
  const listed = new Set(there.map(({ descriptor }) => descriptor.digest));
  const copies = plan.evidence.referrers.filter(({ descriptor }) => !listed.has(descriptor.digest));
  const known = [...there, ...copies];
  const found = findRecord(known, request);
  const record =
    found ?? statementAbout(digest, PREDICATE.promotion, { ...promotionRecord(context, request, plan) }, component);
  const own = known.filter((referrer) => isSignedBy(referrer, request.promoter));
  const missing = [
    ...(own.some(({ verified }) => verified.statement.predicateType === PREDICATE.signature)
      ? []
      : [statementAbout(digest, PREDICATE.signature, {}, component)]),
    ...(found === undefined ? [record] : []),
  ];
  // Signed at once, because Rekor v2 answers at its next checkpoint only.
  const signed = await allBounded(missing, OWN_PREDICATES.length, context.signal, (statement) =>
    signer.sign(statement),
  );
  // Together: each writing of a list of referrers is followed by a pause.
  await pushBundles(context, target, digest, [...copies, ...signed.map((each) => asReferrer(plan, each))]);
  // All of it, as the target gives it back: nothing that was known before counts here.
  const after = await readEvidence(context, target.client, where, trust);
  requireEvidence(after, { identity: request.shipper, predicateTypes: REQUIRED_PREDICATES, component, digest });
  requireEvidence(
    {
      ...after,
      referrers: after.referrers.filter(
        (referrer) =>
          referrer.verified.statement.predicateType === PREDICATE.signature || isRecordOf(referrer, request),
      ),
    },
    { identity: request.promoter, predicateTypes: OWN_PREDICATES, component, digest },
  );
  const back = await readBackManifest(target.client, target.repository, digest);
  return { record, manifest: back, current: plan.current?.digest };
}

/** Writes the version tag once and moves the channel last; call it only with what {@link preparePromotion} returned. */
export async function tagPromoted(request: PromotionRequest, prepared: PreparedPromotion): Promise<void> {
  const { client, repository } = request.target;
  await writeTagOnce(client, repository, request.version, prepared.manifest);
  if (!(await isMoved(request, prepared))) {
    await setTag(client, repository, request.channel, prepared.manifest);
  }
}

/** What this run must have signed itself before a tag moves. */
const OWN_PREDICATES: readonly string[] = [PREDICATE.signature, PREDICATE.promotion];

/** Whether the channel is at the digest. It may have moved elsewhere since the plan: a lost update is an error, not a race won. */
async function isMoved(request: PromotionRequest, { current, manifest }: PreparedPromotion): Promise<boolean> {
  const { client, repository } = request.target;
  const now = (await client.getManifest(repository, request.channel))?.descriptor.digest;
  if (now !== current && now !== manifest.descriptor.digest) {
    throw new UserError({
      code: 'CHANNEL_CHANGED',
      what: `${request.channel} moved while this promotion ran`,
      details: [`expected ${current ?? 'no such tag'}`, `seen ${now ?? 'no such tag'}`],
      fix: 'run the preview again; let one workflow promote, in a concurrency group that queues',
    });
  }
  return now === manifest.descriptor.digest;
}

function asReferrer({ manifest: subject }: PromotionPlan, { bundle, verified }: SignedStatement): BundleReferrer {
  const signed = { bytes: bundle, predicateType: verified.statement.predicateType, signedAt: verified.signedAt };
  const { manifest, descriptor } = bundleReferrer(subject.descriptor, signed);
  return { manifest, descriptor, bundle };
}

/** The promotion that a former attempt signed. */
function findRecord(referrers: readonly VerifiedReferrer[], request: PromotionRequest): Statement | undefined {
  return referrers.find((referrer) => isRecordOf(referrer, request))?.verified.statement;
}

/** Says, by this identity, that this version went to this channel at this place: a copied statement tells of another one. */
function isRecordOf(referrer: VerifiedReferrer, request: PromotionRequest): boolean {
  const { predicateType, predicate } = referrer.verified.statement;
  const wanted = v.object({
    version: v.literal(request.version),
    channel: v.literal(request.channel),
    component: v.literal(request.component),
    to: v.object({ repository: v.literal(placeName(request.target)) }),
  });
  return isSignedBy(referrer, request.promoter) && predicateType === PREDICATE.promotion && v.is(wanted, predicate);
}

function promotionRecord(context: Context, request: PromotionRequest, plan: PromotionPlan): Promotion {
  const { build, source, target, environment, reason, optIns } = request;
  const previous = plan.current?.digest;
  return {
    schema: 1,
    component: request.component,
    version: request.version,
    channel: request.channel,
    from: { repository: placeName(source), digest: plan.digest },
    to: { repository: placeName(target) },
    promotedAt: context
      .now()
      .toISOString()
      .replace(/\.\d{3}Z$/, 'Z'),
    promotedBy: {
      actor: build.actor,
      run: `${runUrl(build)}/attempts/${build.runAttempt}`,
      workflowRef: build.workflowRef,
      ...(environment === undefined ? {} : { environment }),
    },
    policy: 'none',
    evidence: plan.shipped.map(({ verified: { statement, certificate, signedAt } }) => ({
      predicateType: statement.predicateType,
      issuer: certificate.issuer,
      subject: certificate.subject,
      signedAt: signedAt.toISOString(),
    })),
    ...(previous === undefined || previous === plan.digest ? {} : { previousDigest: previous }),
    ...(reason === undefined ? {} : { reason }),
    ...(optIns.length === 0 ? {} : { optIns: [...optIns] }),
  };
}
