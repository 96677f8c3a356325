import {
  allBounded,
  type Context,
  type Digest,
  PREDICATE,
  REQUIRED_PREDICATES,
  runUrl,
  type Statement,
  sha256,
  statementAbout,
  UserError,
} from '@gitless/core';
import { copyArtifact, EMPTY_CONFIG } from '@gitless/oci';
import type { Promotion } from '@gitless/promotion';
import type { SignedStatement, Signer } from '@gitless/signing';
import { bundleReferrer } from './layout-store.ts';
import type { PromotionPlan } from './plan-promotion.ts';
import type { PromotionPlace, PromotionRequest } from './promotion-request.ts';
import { moveTag, readBackManifest, writeTagOnce } from './publish.ts';
import {
  type ArtifactEvidence,
  isSignedBy,
  readEvidence,
  requireEvidence,
  type VerifiedReferrer,
} from './verify-artifact.ts';

export interface Promoted {
  /** The promotion statement that this run signed or found. */
  readonly record: Statement;
  readonly bundles: readonly { readonly predicateType: string; readonly digest: Digest }[];
}

/**
 * Carries out a plan: copies the manifest and the verified referrers, adds this run's signature and promotion statement, reads all back
 * and verifies it at the target, then writes the version tag once and the channel last. A second run adds only what is missing.
 */
export async function executePromotion(
  context: Context,
  request: PromotionRequest,
  plan: PromotionPlan,
  signer: Signer,
): Promise<Promoted> {
  const { source, target, component, version, channel } = request;
  const { digest, manifest } = plan;
  if (source.client.registry !== target.client.registry || source.repository !== target.repository) {
    await copyArtifact({
      source: source.client,
      sourceRepository: source.repository,
      target: target.client,
      targetRepository: target.repository,
      manifest,
    });
    await copyReferrers(request, plan);
  }
  const where = { repository: target.repository, digest };
  const trust = { root: request.trustedRoot, identities: [request.shipper, request.promoter] };
  const before = await readEvidence(context, target.client, where, trust);
  const record =
    findRecord(before, request) ??
    statementAbout(digest, PREDICATE.promotion, { ...promotionRecord(context, request, plan) }, component);
  const own = before.referrers.filter((referrer) => isSignedBy(referrer, request.promoter));
  const missing = [
    ...(own.some(({ verified }) => verified.statement.predicateType === PREDICATE.signature)
      ? []
      : [statementAbout(digest, PREDICATE.signature, {}, component)]),
    ...(findRecord(before, request) === undefined ? [record] : []),
  ];
  // Signed at once, because Rekor v2 answers at its next checkpoint only; attached one after the other.
  const signed = await allBounded(missing, OWN_PREDICATES.length, context.signal, (statement) =>
    signer.sign(statement),
  );
  for (const each of signed) {
    await attach(request, plan, each);
  }
  const after = await readEvidence(context, target.client, where, trust);
  requireEvidence(after, { identity: request.shipper, predicateTypes: REQUIRED_PREDICATES, component, digest });
  requireEvidence(
    {
      ...after,
      referrers: after.referrers.filter(({ verified }) => OWN_PREDICATES.includes(verified.statement.predicateType)),
    },
    { identity: request.promoter, predicateTypes: OWN_PREDICATES, component, digest },
  );
  const tagged = await readBackManifest(target.client, target.repository, digest);
  await writeTagOnce(target.client, target.repository, version, tagged);
  await requireUnmoved(request, plan);
  await moveTag(target.client, target.repository, channel, tagged);
  return {
    record,
    bundles: after.referrers.map(({ descriptor, verified }) => ({
      predicateType: verified.statement.predicateType,
      digest: descriptor.digest,
    })),
  };
}

/** What this run must have signed itself before a tag moves. */
const OWN_PREDICATES: readonly string[] = [PREDICATE.signature, PREDICATE.promotion];

/** The channel may have moved since the plan: a lost update is an error, not a race won. */
async function requireUnmoved(request: PromotionRequest, plan: PromotionPlan): Promise<void> {
  const { client, repository } = request.target;
  const now = (await client.getManifest(repository, request.channel))?.descriptor.digest;
  if (now !== plan.current?.digest && now !== plan.digest) {
    throw new UserError({
      code: 'CHANNEL_CHANGED',
      what: `${request.channel} moved while this promotion ran`,
      details: [`expected ${plan.current?.digest ?? 'no such tag'}`, `seen ${now ?? 'no such tag'}`],
      fix: 'run the preview again; let one workflow promote, in a concurrency group that queues',
    });
  }
}

async function copyReferrers({ target }: PromotionRequest, plan: PromotionPlan): Promise<void> {
  const listed = new Set(
    (await target.client.listReferrers(target.repository, plan.digest)).map(({ digest }) => digest),
  );
  for (const referrer of plan.evidence.referrers.filter(({ descriptor }) => !listed.has(descriptor.digest))) {
    await pushReferrer(target, plan.digest, referrer.manifest, referrer.descriptor, referrer.bundle);
  }
}

async function attach(
  request: PromotionRequest,
  plan: PromotionPlan,
  { bundle, verified }: SignedStatement,
): Promise<void> {
  const { manifest, descriptor } = bundleReferrer(plan.manifest.descriptor, {
    bytes: bundle,
    predicateType: verified.statement.predicateType,
    signedAt: verified.signedAt,
  });
  await pushReferrer(request.target, plan.digest, manifest, descriptor, bundle);
}

async function pushReferrer(
  target: PromotionPlace,
  subject: Digest,
  manifest: Uint8Array,
  descriptor: VerifiedReferrer['descriptor'],
  bundle: Uint8Array,
): Promise<void> {
  await target.client.putBlob(target.repository, EMPTY_CONFIG.bytes, EMPTY_CONFIG.descriptor.digest);
  await target.client.putBlob(target.repository, bundle, sha256(bundle));
  await target.client.putReferrer(target.repository, manifest, descriptor, subject);
}

/** The promotion of this version to this channel that a former attempt signed. */
function findRecord(evidence: ArtifactEvidence, request: PromotionRequest): Statement | undefined {
  return evidence.referrers.find((referrer) => {
    const { predicateType, predicate } = referrer.verified.statement;
    return (
      isSignedBy(referrer, request.promoter) &&
      predicateType === PREDICATE.promotion &&
      predicate['version'] === request.version &&
      predicate['channel'] === request.channel &&
      predicate['component'] === request.component
    );
  })?.verified.statement;
}

function promotionRecord(context: Context, request: PromotionRequest, plan: PromotionPlan): Promotion {
  const { build, source, target, environment, reason, optIns } = request;
  const previous = plan.current?.digest;
  return {
    schema: 1,
    component: request.component,
    version: request.version,
    channel: request.channel,
    from: { repository: `${source.client.registry}/${source.repository}`, digest: plan.digest },
    to: { repository: `${target.client.registry}/${target.repository}` },
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
