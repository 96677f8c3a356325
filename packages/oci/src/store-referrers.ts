import { allBounded, type Context, canonicalJson, type Digest, parseJsonWith, UserError } from '@gitless/core';
import * as v from 'valibot';
import type { Descriptor } from './descriptor.ts';
import { withLock } from './keyed-lock.ts';
import { parseIndex } from './manifest.ts';
import { type FetchedManifest, storeManifest } from './manifests.ts';
import { MEDIA_TYPE } from './media-types.ts';
import { fallbackName, fallbackTag, fetchFallback, fetchFromApi } from './referrers.ts';
import type { Transport } from './transport.ts';

const MAX_PARALLEL = 8;
/** A registry with the API may list a new referrer a little later. */
const LISTING_TRIES = 4;
const LISTING_PAUSE_MS = 250;

const UPDATE_TRIES = 10;
/** Doubles with each try; the pause is anything up to it, so that writers who met do not meet again. */
const UPDATE_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** How long another writer can be between its reading and its writing: as long as we were, twice over, and a little. */
const SETTLE_FACTOR = 2;
const SETTLE_MS = 100;
/** Where writers are seen to meet, the machine or the registry is busy, and any of them can take longer. */
const CONTENDED_FACTOR = 3;
const SETTLE_ROUNDS = 20;
/** What a write that was sent once can meet, and another round can cure. */
const PASSING: readonly string[] = ['HTTP_UNREACHABLE', 'REGISTRY_ERROR'];

/** Keeps what others wrote into the index, known or not. */
const OpenIndex = v.looseObject({ manifests: v.array(v.looseObject({ digest: v.string() })) });
const FOREIGN_INDEX = 'find out who wrote it: readers follow it to the signatures';

/** A manifest with its descriptor as it shall be listed: with artifact type and annotations. */
export interface StoredReferrer {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/** The list of one subject. */
interface Place {
  readonly transport: Transport;
  readonly repository: string;
  readonly subject: Digest;
}

/**
 * Pushes referrers by digest and makes sure that they are found through their subject: what the registry lists decides,
 * not its headers. Where the API does not list them, they are merged into the index under the fallback tag
 * (distribution-spec, "Referrers Tag Schema").
 * Throws `REFERRER_NOT_LISTED`, `REFERRERS_TAG_FOREIGN`, `MANIFEST_MISMATCH` and the codes of `registryError`.
 */
export async function storeReferrers(
  context: Context,
  transport: Transport,
  repository: string,
  { subject, referrers }: { subject: Digest; referrers: readonly StoredReferrer[] },
): Promise<void> {
  const descriptors = referrers.map(({ descriptor }) => descriptor);
  await allBounded(referrers, MAX_PARALLEL, context.signal, ({ bytes, descriptor }) => {
    const { digest: reference, mediaType } = descriptor;
    return storeManifest(transport, repository, { reference, mediaType, bytes });
  });
  const place = { transport, repository, subject };
  if (descriptors.length > 0 && !(await isListedByApi(context, place, descriptors))) {
    await withLock(`${transport.registry}/${repository}@${subject}`, () => updateFallback(context, place, descriptors));
  }
}

/** False where the API is missing or lists nothing. Throws `REFERRER_NOT_LISTED` when it lists others only. */
async function isListedByApi(context: Context, place: Place, descriptors: readonly Descriptor[]): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const listed = await fetchFromApi(place.transport, place.repository, place.subject);
    const missing = descriptors.find(({ digest }) => listed?.some((one) => one.digest === digest) !== true);
    if (missing === undefined) {
      return true;
    }
    if (listed === undefined) {
      return false;
    }
    if (attempt >= LISTING_TRIES) {
      if (listed.length > 0) {
        throw notListed(place, missing, 'its referrers API lists others, but not this one');
      }
      return false;
    }
    await context.sleep(LISTING_PAUSE_MS * 2 ** (attempt - 1));
  }
}

/**
 * Read, merge, write, and read again. No registry that lacks the API compares before it writes (distribution sends an
 * ETag and ignores If-Match), so a writer in another process who read before our write can overwrite it afterwards.
 * Who was overwritten must notice: each stays until the list holds its own entries while nobody writes, and a write is
 * never repeated with content that is no longer the newest.
 */
async function updateFallback(context: Context, place: Place, descriptors: readonly Descriptor[]): Promise<void> {
  const { transport, repository, subject } = place;
  let failure: UserError | undefined;
  for (let attempt = 1; attempt <= UPDATE_TRIES; attempt += 1) {
    if (attempt > 1) {
      await context.sleep(Math.random() * Math.min(UPDATE_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS));
    }
    const started = context.now().getTime();
    const current = await fetchFallback(transport, repository, subject);
    const bytes = withDescriptors(place, current, descriptors);
    if (bytes === undefined && attempt === 1) {
      return;
    }
    try {
      const written = bytes === undefined ? current?.descriptor.digest : await writeFallback(place, current, bytes);
      const settle = SETTLE_MS + SETTLE_FACTOR * (context.now().getTime() - started);
      const write = { descriptors, written, settle, isContended: attempt > 1 };
      if (await staysListed(context, place, write)) {
        return;
      }
    } catch (error) {
      if (!(error instanceof UserError && PASSING.includes(error.code))) {
        throw error;
      }
      failure = error;
    }
  }
  const [first] = descriptors;
  const why = `${fallbackName(transport, repository, subject)} did not keep it in ${UPDATE_TRIES} tries: others write there`;
  throw failure ?? notListed(place, first, why);
}

/** Undefined when the registry says that the list is no longer the one that was read. */
function writeFallback(
  { transport, repository, subject }: Place,
  current: FetchedManifest | undefined,
  bytes: Uint8Array,
): Promise<Digest | undefined> {
  return storeManifest(transport, repository, {
    reference: fallbackTag(subject),
    mediaType: MEDIA_TYPE.imageIndex,
    bytes,
    once: true,
    ...(current?.etag === undefined ? {} : { ifMatch: current.etag }),
  });
}

interface Write {
  readonly descriptors: readonly Descriptor[];
  /** The list as it was written; undefined when the registry did not take it. */
  readonly written: Digest | undefined;
  /** Milliseconds after which whoever read before that write has written too. */
  readonly settle: number;
  /** Whether others were seen to write. */
  readonly isContended: boolean;
}

/** Whether the list holds the entries after a pause in which nobody wrote; false as soon as one is gone. */
async function staysListed(context: Context, place: Place, write: Write): Promise<boolean> {
  let last = write.written;
  let { isContended } = write;
  for (let round = 1; last !== undefined && round <= SETTLE_ROUNDS; round += 1) {
    await context.sleep(Math.min(write.settle * (isContended ? CONTENDED_FACTOR : 1), LONGEST_PAUSE_MS));
    const found = await fetchFallback(place.transport, place.repository, place.subject);
    if (found === undefined || withDescriptors(place, found, write.descriptors) !== undefined) {
      return false;
    }
    if (found.descriptor.digest === last) {
      return true;
    }
    last = found.descriptor.digest;
    isContended = true;
  }
  return last !== undefined;
}

/** The index with the descriptors that it lacks added at its end, or undefined when it holds them all. */
function withDescriptors(
  { transport, repository, subject }: Place,
  index: FetchedManifest | undefined,
  descriptors: readonly Descriptor[],
): Uint8Array | undefined {
  const where = fallbackName(transport, repository, subject);
  const empty = { schemaVersion: 2, mediaType: MEDIA_TYPE.imageIndex, manifests: [] };
  if (index !== undefined) {
    parseIndex(index.bytes, where);
  }
  const current =
    index === undefined
      ? empty
      : parseJsonWith(OpenIndex, index.bytes, { code: 'BAD_INDEX', where, fix: FOREIGN_INDEX });
  const known = new Set(current.manifests.map(({ digest }) => digest));
  const added = descriptors
    .filter(({ digest }) => !known.has(digest))
    .map(({ mediaType, digest, size, artifactType, annotations }) => ({
      mediaType,
      digest,
      size,
      artifactType,
      annotations,
    }));
  return added.length === 0
    ? undefined
    : new TextEncoder().encode(canonicalJson({ ...current, manifests: [...current.manifests, ...added] }));
}

function notListed({ transport, repository }: Place, descriptor: Descriptor | undefined, why: string): UserError {
  return new UserError({
    code: 'REFERRER_NOT_LISTED',
    what: `${transport.registry}/${repository} stores ${descriptor?.digest ?? 'a referrer'} but does not list it as one`,
    why,
    fix: 'run this step again; if it stays so, report it to the registry: readers would not find this statement',
  });
}
