import { type Context, type Digest, PREDICATE, parseWith, REQUIRED_PREDICATES, UserError } from '@gitless/core';
import { type SignedContent, signedContent } from '@gitless/evidence';
import { type ChannelState, type Promotion, PromotionSchema, promotedVersion, requireMove } from '@gitless/promotion';
import { type ContentChanges, compareContent, contentFiles } from './content-changes.ts';
import { type PromotionPlace, type PromotionRequest, placeName } from './promotion-request.ts';
import { readBackManifest, type TaggableManifest } from './publish.ts';
import {
  type ArtifactEvidence,
  type Identity,
  isSignedBy,
  readEvidence,
  requireEvidence,
  type VerifiedReferrer,
} from './verify-artifact.ts';

/** What a promotion would do; nothing is written yet. */
export interface PromotionPlan {
  readonly digest: Digest;
  readonly current: ChannelState | undefined;
  readonly changes: ContentChanges | undefined;
  readonly manifest: TaggableManifest;
  readonly evidence: ArtifactEvidence;
  /** The shipper's verified statements: what the decision rests on. */
  readonly shipped: readonly VerifiedReferrer[];
  /** Where the content lies inside the artifact, as the shipper signed it. */
  readonly content: SignedContent;
  /** Version tag, channel and all statements are at the target already. */
  readonly done: boolean;
}

/** Resolves, verifies and decides, reading only. Throws when the promotion must not be done, naming why. */
export async function planPromotion(context: Context, request: PromotionRequest): Promise<PromotionPlan> {
  const { source, component, version, channel } = request;
  const found = await source.client.getManifest(source.repository, request.from);
  if (found === undefined) {
    throw new UserError({
      code: 'NOT_PUBLISHED',
      what: `${source.client.registry}/${source.repository} does not hold ${request.from}`,
      why: 'only what was published can be promoted; nothing is rebuilt',
      fix: 'promote a digest that push reported',
    });
  }
  const manifest = await readBackManifest(source.client, source.repository, found.descriptor.digest);
  const digest = manifest.descriptor.digest;
  const identities = [request.shipper, request.promoter];
  const trust = { root: request.trustedRoot, identities };
  const evidence = await readEvidence(context, source.client, { repository: source.repository, digest }, trust);
  const shipped = requireEvidence(evidence, {
    identity: request.shipper,
    predicateTypes: REQUIRED_PREDICATES,
    component,
    digest,
  });
  const current = await channelState(context, request, channel);
  const taken = await requireVersionFree(context, request, digest);
  requireMove({ channel, version, digest, current, expectedCurrent: request.expectedCurrent });
  const changes = await changesAgainst(request, current, manifest);
  const tagged = taken && current?.digest === digest && current.version === version;
  const done = tagged && (await isComplete(context, request, evidence, digest));
  return { digest, current, changes, manifest, evidence, shipped, content: contentOf(shipped), done };
}

/** Whether the target still holds all that a promotion leaves there: what was lost since is added again (invariant 6). */
async function isComplete(
  context: Context,
  request: PromotionRequest,
  { referrers: known }: ArtifactEvidence,
  digest: Digest,
): Promise<boolean> {
  const { shipper, promoter, target } = request;
  const trust = { root: request.trustedRoot, identities: [shipper, promoter] };
  const where = { repository: target.repository, digest };
  const { referrers } = await readEvidence(context, target.client, where, trust, known);
  const holds = (identity: Identity, types: readonly string[]) =>
    types.every((type) =>
      referrers.some((one) => one.verified.statement.predicateType === type && isSignedBy(one, identity)),
    );
  return holds(shipper, REQUIRED_PREDICATES) && holds(promoter, [PREDICATE.signature, PREDICATE.promotion]);
}

/** The provenance is among the required statements, so there is one. */
function contentOf(shipped: readonly VerifiedReferrer[]): SignedContent {
  const provenance = shipped.find(({ verified }) => verified.statement.predicateType === PREDICATE.provenance);
  return signedContent(provenance?.verified.statement.predicate);
}

/** The channel's digest and the version that a verified promotion statement at the target names for it. */
async function channelState(
  context: Context,
  request: PromotionRequest,
  channel: string,
): Promise<ChannelState | undefined> {
  const { client, repository } = request.target;
  const found = await client.getManifest(repository, channel);
  if (found === undefined) {
    return undefined;
  }
  const { digest } = found.descriptor;
  const version = promotedVersion(await promotionsOf(context, request, digest), channel);
  return version === undefined ? { digest } : { digest, version };
}

/** Verified promotions of a digest to the target, by the promoting identity; whoever may write there can copy statements about other places. */
async function promotionsOf(context: Context, request: PromotionRequest, digest: Digest): Promise<Promotion[]> {
  const { client, repository } = request.target;
  const evidence = await readEvidence(
    context,
    client,
    { repository, digest },
    { root: request.trustedRoot, identities: [request.promoter] },
  );
  return evidence.referrers
    .filter(({ verified }) => verified.statement.predicateType === PREDICATE.promotion)
    .map(({ verified }) =>
      parseWith(PromotionSchema, verified.statement.predicate, {
        code: 'BAD_PROMOTION',
        where: 'a promotion statement',
        fix: 'find out which version of the suite signed it; promote with that one or a later one',
      }),
    )
    .filter(({ component, to }) => component === request.component && to.repository === placeName(request.target));
}

/** A version is written once: its tag and the verified promotion statement must agree. Returns whether it is this digest's already. */
async function requireVersionFree(context: Context, request: PromotionRequest, digest: Digest): Promise<boolean> {
  const { client, repository } = request.target;
  const tagged = await client.getManifest(repository, request.version);
  if (tagged === undefined) {
    return false;
  }
  if (tagged.descriptor.digest !== digest) {
    throw new UserError({
      code: 'VERSION_TAKEN',
      what: `${client.registry}/${repository}:${request.version} is another digest`,
      details: [`wanted ${digest}`, `seen ${tagged.descriptor.digest}`],
      why: 'a version is one digest for ever',
      fix: 'choose a higher version',
    });
  }
  const records = await promotionsOf(context, request, digest);
  if (!records.some((record) => record.version === request.version)) {
    throw new UserError({
      code: 'VERSION_UNPROVEN',
      what: `${client.registry}/${repository}:${request.version} exists, but no verified promotion names it`,
      why: 'somebody other than this promoting workflow wrote the tag',
      fix: 'find out who wrote it; choose another version, or delete the tag if it is a mistake',
    });
  }
  return true;
}

async function changesAgainst(
  request: PromotionRequest,
  current: ChannelState | undefined,
  manifest: TaggableManifest,
): Promise<ContentChanges | undefined> {
  const { source, target } = request;
  const after = await contentFiles(source.client, source.repository, manifest.bytes);
  if (current === undefined) {
    return compareContent(new Map(), after);
  }
  const before = await target.client.getManifest(target.repository, current.digest);
  const former = before === undefined ? undefined : await readableContent(target, before.bytes);
  return former === undefined ? undefined : compareContent(former, after);
}

/** What somebody else put under the channel may be anything: it must not keep the channel from being set right. */
async function readableContent(
  { client, repository }: PromotionPlace,
  manifest: Uint8Array,
): Promise<Map<string, string> | undefined> {
  try {
    return await contentFiles(client, repository, manifest);
  } catch (error) {
    if (error instanceof UserError && NOT_COMPARABLE.includes(error.code)) {
      return undefined;
    }
    throw error;
  }
}

const NOT_COMPARABLE: readonly string[] = [
  'BAD_MANIFEST',
  'BLOB_MISMATCH',
  'BLOB_TOO_LARGE',
  'GZIP_REFUSED',
  'TAR_REFUSED',
  'TAR_TRUNCATED',
];
