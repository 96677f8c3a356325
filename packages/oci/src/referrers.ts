import {
  type Context,
  canonicalJson,
  type Digest,
  type HttpResponse,
  hexOf,
  parseJsonWith,
  UserError,
} from '@gitless/core';
import * as v from 'valibot';
import type { Descriptor } from './descriptor.ts';
import { withLock } from './keyed-lock.ts';
import { parseIndex } from './manifest.ts';
import { type FetchedManifest, fetchManifest, mediaTypeOf, storeManifest } from './manifests.ts';
import { MEDIA_TYPE } from './media-types.ts';
import { readPages } from './pages.ts';
import type { Transport } from './transport.ts';

const UPDATE_TRIES = 5;
/** A registry with the API may list a new referrer a little later. */
const LISTING_TRIES = 4;
const PAUSE_MS = 250;
/** How registries without the API answer; GHCR redirects to a web page, which is not followed. */
const NO_API: readonly number[] = [301, 302, 303, 307, 308, 400, 404, 405, 406];

/** Keeps what others wrote into the index, known or not. */
const OpenIndex = v.looseObject({ manifests: v.array(v.looseObject({ digest: v.string() })) });

/** The tag that stands in for the referrers API (distribution-spec, "Referrers Tag Schema"). */
export function fallbackTag(subject: Digest): string {
  return `sha256-${hexOf(subject)}`;
}

/**
 * What refers to `subject`: from the referrers API, and where that is missing or lists nothing, from the fallback tag.
 * Throws `BAD_INDEX`, `REFERRERS_TAG_FOREIGN`, `REGISTRY_PAGING` and the codes of `registryError`; only the
 * registry's own "no such thing" counts as absent.
 */
export async function fetchReferrers(transport: Transport, repository: string, subject: Digest): Promise<Descriptor[]> {
  const listed = await fetchFromApi(transport, repository, subject);
  if (listed !== undefined && listed.length > 0) {
    return listed;
  }
  const tagged = await fetchFallback(transport, repository, subject);
  return tagged === undefined ? [] : parseIndex(tagged.bytes, fallbackName(transport, repository, subject)).manifests;
}

/** Undefined when the registry lacks the API: it answers so, or with something that is not an index. */
async function fetchFromApi(
  transport: Transport,
  repository: string,
  subject: Digest,
): Promise<Descriptor[] | undefined> {
  const found = new Map<Digest, Descriptor>();
  let supported = true;
  const request = { first: transport.url(repository, `referrers/${subject}`), accept: MEDIA_TYPE.imageIndex };
  await readPages(transport, repository, request, (response, page) => {
    if (page === 1 && isWithoutApi(response)) {
      supported = false;
      return false;
    }
    if (response.status !== 200) {
      throw transport.failure(response, `list the referrers of ${repository}@${subject}`);
    }
    const where = `the referrers list of ${transport.registry}/${repository}@${subject}`;
    for (const descriptor of parseIndex(response.body, where).manifests) {
      found.set(descriptor.digest, descriptor);
    }
    return true;
  });
  return supported ? [...found.values()] : undefined;
}

function isWithoutApi(response: HttpResponse): boolean {
  const isForeign = response.status === 200 && mediaTypeOf(response) !== MEDIA_TYPE.imageIndex;
  return NO_API.includes(response.status) || isForeign;
}

async function fetchFallback(
  transport: Transport,
  repository: string,
  subject: Digest,
): Promise<FetchedManifest | undefined> {
  const tagged = await fetchManifest(transport, repository, fallbackTag(subject));
  if (tagged !== undefined && tagged.descriptor.mediaType !== MEDIA_TYPE.imageIndex) {
    throw new UserError({
      code: 'REFERRERS_TAG_FOREIGN',
      what: `${fallbackName(transport, repository, subject)} is not a list of referrers but ${tagged.descriptor.mediaType}`,
      why: 'this registry has no referrers API, so that tag must hold the list; copying with other tools can put an artifact there',
      fix: 'find out who wrote that tag, delete it, and run this step again',
    });
  }
  return tagged;
}

function fallbackName(transport: Transport, repository: string, subject: Digest): string {
  return `${transport.registry}/${repository}:${fallbackTag(subject)}`;
}

/**
 * Pushes a referrer by digest and makes sure that it is found through its subject: what the registry lists decides,
 * not its headers. Where the API does not list it, the fallback tag is read, merged, written and read again.
 * Throws `REFERRER_NOT_LISTED`, `REFERRERS_TAG_FOREIGN`, `MANIFEST_MISMATCH` and the codes of `registryError`.
 */
export async function storeReferrer(
  context: Context,
  transport: Transport,
  repository: string,
  referrer: { bytes: Uint8Array; descriptor: Descriptor; subject: Digest },
): Promise<void> {
  const { bytes, descriptor, subject } = referrer;
  await storeManifest(transport, repository, { reference: descriptor.digest, mediaType: descriptor.mediaType, bytes });
  for (let attempt = 1; ; attempt += 1) {
    const listed = await fetchFromApi(transport, repository, subject);
    if (listed?.some(({ digest }) => digest === descriptor.digest)) {
      return;
    }
    if (listed === undefined || attempt >= LISTING_TRIES) {
      if (listed !== undefined && listed.length > 0) {
        throw notListed(transport, repository, descriptor, 'its referrers API lists others, but not this one');
      }
      break;
    }
    await context.sleep(PAUSE_MS * 2 ** (attempt - 1));
  }
  await withLock(`${transport.registry}/${repository}@${subject}`, () =>
    updateFallback(context, transport, repository, descriptor, subject),
  );
}

async function updateFallback(
  context: Context,
  transport: Transport,
  repository: string,
  descriptor: Descriptor,
  subject: Digest,
): Promise<void> {
  const name = fallbackName(transport, repository, subject);
  for (let attempt = 1; attempt <= UPDATE_TRIES; attempt += 1) {
    if (attempt > 1) {
      await context.sleep(PAUSE_MS * attempt * (1 + Math.random()));
    }
    const current = await fetchFallback(transport, repository, subject);
    const bytes = withDescriptor(current?.bytes, descriptor, name);
    if (bytes === undefined) {
      return;
    }
    await storeManifest(transport, repository, {
      reference: fallbackTag(subject),
      mediaType: MEDIA_TYPE.imageIndex,
      bytes,
      ...(current?.etag === undefined ? {} : { ifMatch: current.etag }),
    });
    const written = await fetchFallback(transport, repository, subject);
    if (written !== undefined && withDescriptor(written.bytes, descriptor, name) === undefined) {
      return;
    }
  }
  throw notListed(
    transport,
    repository,
    descriptor,
    `${name} did not keep it in ${UPDATE_TRIES} tries: others write there`,
  );
}

const FOREIGN_INDEX = 'find out who wrote it: readers follow it to the signatures';

/** The index with `descriptor` added, or undefined when it is there. */
function withDescriptor(index: Uint8Array | undefined, descriptor: Descriptor, where: string): Uint8Array | undefined {
  const empty = { schemaVersion: 2, mediaType: MEDIA_TYPE.imageIndex, manifests: [] };
  if (index !== undefined) {
    parseIndex(index, where);
  }
  const current =
    index === undefined ? empty : parseJsonWith(OpenIndex, index, { code: 'BAD_INDEX', where, fix: FOREIGN_INDEX });
  if (current.manifests.some(({ digest }) => digest === descriptor.digest)) {
    return undefined;
  }
  const { mediaType, digest, size, artifactType, annotations } = descriptor;
  const added = { mediaType, digest, size, artifactType, annotations };
  return new TextEncoder().encode(canonicalJson({ ...current, manifests: [...current.manifests, added] }));
}

function notListed(transport: Transport, repository: string, descriptor: Descriptor, why: string): UserError {
  return new UserError({
    code: 'REFERRER_NOT_LISTED',
    what: `${transport.registry}/${repository} stores ${descriptor.digest} but does not list it as a referrer`,
    why,
    fix: 'run this step again; if it stays so, report it to the registry: readers would not find this statement',
  });
}
