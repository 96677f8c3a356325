import {
  allBounded,
  type Build,
  type Context,
  type Digest,
  REQUIRED_PREDICATES,
  sha256,
  UserError,
} from '@gitless/core';
import { type Descriptor, EMPTY_CONFIG, MEDIA_TYPE, parseManifest, type RegistryClient, readBlob } from '@gitless/oci';
import type { TrustedRoot } from '@gitless/signing';
import { findArtifact, type StoredArtifact } from './layout-store.ts';
import { buildTag } from './tag-rules.ts';
import { type BundleReferrer, type Identity, readEvidence, requireEvidence } from './verify-artifact.ts';

/** Blobs of one component. */
const MAX_PARALLEL_BLOBS = 8;

export interface PublishRequest {
  readonly layout: string;
  readonly component: string;
  readonly digest: Digest;
  readonly build: Build;
  readonly client: RegistryClient;
  readonly repository: string;
  readonly identity: Identity;
  readonly trustedRoot: TrustedRoot;
  /** Channels to move once everything is verified. */
  readonly tags: readonly string[];
}

/** In the registry and verified there; of the tags only the build's own names it yet. */
export interface Published {
  readonly manifest: TaggableManifest;
  /** The build tag. */
  readonly tag: string;
  readonly bundles: readonly { readonly predicateType: string; readonly digest: Digest }[];
}

/**
 * Publishes one component up to its channels: content by digest, referrers, read-back, verification, then the build tag (invariant 1),
 * which is written once and which nothing follows. Nothing that is there already is sent again. Throws what the registry and the verification say.
 */
export async function publishContent(context: Context, request: PublishRequest): Promise<Published> {
  const { client, repository, component, digest, identity } = request;
  const artifact = await findArtifact(request.layout, component, digest);
  const manifest = await pushArtifact(context, request, artifact);
  await pushMissingBundles(context, request, artifact);
  const trust = { root: request.trustedRoot, identities: [identity] };
  const evidence = await readEvidence(context, client, { repository, digest }, trust);
  const verified = requireEvidence(evidence, { identity, predicateTypes: REQUIRED_PREDICATES, component, digest });
  const tag = buildTag(request.build);
  await writeTagOnce(client, repository, tag, manifest);
  return {
    manifest,
    tag,
    bundles: verified.map(({ descriptor, verified: { statement } }) => ({
      predicateType: statement.predicateType,
      digest: descriptor.digest,
    })),
  };
}

/** Moves the channels; call it only with what {@link publishContent} returned. */
export async function moveChannels(request: PublishRequest, { manifest }: Published): Promise<void> {
  for (const tag of request.tags) {
    await moveTag(request.client, request.repository, tag, manifest);
  }
}

/** A manifest to be tagged: always the bytes that were read back, so that a tag cannot name anything else. */
export interface TaggableManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

async function pushArtifact(
  context: Context,
  request: PublishRequest,
  artifact: StoredArtifact,
): Promise<TaggableManifest> {
  const { client, repository, layout } = request;
  const bytes = await readBlob(layout, artifact.manifest);
  const { config, layers } = parseManifest(bytes, `manifest ${artifact.manifest.digest} of the layout`);
  // Asked for even where the manifest is there: a clean-up, or whoever may delete, can have taken its content away.
  await allBounded([config, ...layers], MAX_PARALLEL_BLOBS, context.signal, (blob) =>
    client.putBlob(repository, () => readBlob(layout, blob), blob.digest),
  );
  if ((await client.getManifest(repository, artifact.manifest.digest)) === undefined) {
    await client.putManifest(repository, artifact.manifest.digest, artifact.manifest.mediaType, bytes);
  }
  return readBackManifest(client, repository, artifact.manifest.digest);
}

async function pushMissingBundles(context: Context, request: PublishRequest, artifact: StoredArtifact): Promise<void> {
  const { client, repository, layout, digest } = request;
  const listed = new Set((await client.listReferrers(repository, digest)).map((referrer) => referrer.digest));
  const missing: BundleReferrer[] = [];
  for (const { manifest, bundle } of artifact.bundles.filter((stored) => !listed.has(stored.manifest.digest))) {
    missing.push({ manifest: await readBlob(layout, manifest), descriptor: manifest, bundle });
  }
  await pushBundles(context, { client, repository }, digest, missing);
}

/** Pushes bundles about `subject`: their blobs, then the manifests, listed together. */
export async function pushBundles(
  context: Context,
  { client, repository }: { readonly client: RegistryClient; readonly repository: string },
  subject: Digest,
  referrers: readonly BundleReferrer[],
): Promise<void> {
  if (referrers.length === 0) {
    return;
  }
  const blobs = [EMPTY_CONFIG.bytes, ...referrers.map(({ bundle }) => bundle)];
  await allBounded(blobs, MAX_PARALLEL_BLOBS, context.signal, (bytes) =>
    client.putBlob(repository, bytes, sha256(bytes)),
  );
  const manifests = referrers.map(({ manifest, descriptor }) => ({ bytes: manifest, descriptor }));
  await client.putReferrers(repository, subject, manifests);
}

/** The manifest as the registry gives it back. Throws `READ_BACK_FAILED` when it does not hold what was just pushed. */
export async function readBackManifest(
  client: RegistryClient,
  repository: string,
  reference: string,
): Promise<TaggableManifest> {
  const found = await client.getManifest(repository, reference);
  if (found === undefined || found.descriptor.mediaType !== MEDIA_TYPE.imageManifest) {
    throw new UserError({
      code: 'READ_BACK_FAILED',
      what: `${client.registry}/${repository} does not give back ${reference}`,
      why:
        found === undefined ? 'it says that there is no such manifest' : `it gives back ${found.descriptor.mediaType}`,
      fix: 'run the job again; if it persists, ask who operates the registry',
    });
  }
  return found;
}

/** Writes a tag that must never change: there already with the same digest is success. Throws `TAG_TAKEN`. */
export async function writeTagOnce(
  client: RegistryClient,
  repository: string,
  tag: string,
  manifest: TaggableManifest,
): Promise<void> {
  const current = await client.getManifest(repository, tag);
  if (current !== undefined && current.descriptor.digest !== manifest.descriptor.digest) {
    throw new UserError({
      code: 'TAG_TAKEN',
      what: `${client.registry}/${repository}:${tag} is written once and holds another digest`,
      details: [`wanted ${manifest.descriptor.digest}`, `seen ${current.descriptor.digest}`],
      why: 'one run of one commit, or one version, is one content',
      fix: 'find out what differs between the two (files changed after checkout, other tools); a new run or version gets a new tag',
    });
  }
  if (current === undefined) {
    await setTag(client, repository, tag, manifest);
  }
}

/** As {@link setTag}, where the tag does not point to the digest already. */
export async function moveTag(
  client: RegistryClient,
  repository: string,
  tag: string,
  manifest: TaggableManifest,
): Promise<void> {
  const current = await client.getManifest(repository, tag);
  if (current?.descriptor.digest !== manifest.descriptor.digest) {
    await setTag(client, repository, tag, manifest);
  }
}

/** Points a tag to a digest and reads it back. Throws `READ_BACK_FAILED` when another writer was faster. */
export async function setTag(
  client: RegistryClient,
  repository: string,
  tag: string,
  manifest: TaggableManifest,
): Promise<void> {
  await client.putManifest(repository, tag, manifest.descriptor.mediaType, manifest.bytes);
  const after = await readBackManifest(client, repository, tag);
  if (after.descriptor.digest !== manifest.descriptor.digest) {
    throw new UserError({
      code: 'READ_BACK_FAILED',
      what: `${client.registry}/${repository}:${tag} was moved by somebody else at the same moment`,
      details: [`wanted ${manifest.descriptor.digest}`, `seen ${after.descriptor.digest}`],
      fix: 'let one workflow write this tag, in a concurrency group that queues',
    });
  }
}
