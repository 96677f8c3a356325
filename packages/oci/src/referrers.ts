import { type Digest, type HttpResponse, hexOf, UserError } from '@gitless/core';
import type { Descriptor } from './descriptor.ts';
import { parseIndex } from './manifest.ts';
import { type FetchedManifest, fetchManifest, mediaTypeOf } from './manifests.ts';
import { MEDIA_TYPE } from './media-types.ts';
import { readPages } from './pages.ts';
import type { Transport } from './transport.ts';

/** How registries without the API answer; GHCR redirects to a web page, which is not followed. */
const NO_API: readonly number[] = [301, 302, 303, 307, 308, 400, 404, 405, 406];

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
export async function fetchFromApi(
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

/** The list under the fallback tag, of any content. Throws `REFERRERS_TAG_FOREIGN` when it is no index. */
export async function fetchFallback(
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

/** The fallback tag for messages. */
export function fallbackName(transport: Transport, repository: string, subject: Digest): string {
  return `${transport.registry}/${repository}:${fallbackTag(subject)}`;
}
