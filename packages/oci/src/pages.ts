import { type HttpResponse, UserError } from '@gitless/core';
import { MANIFEST_MAX_BYTES } from './manifest.ts';
import { pullScope } from './scopes.ts';
import type { Transport } from './transport.ts';

const PAGES_MAX = 100;

/**
 * All pages of a list, following `Link: <…>; rel="next"` (RFC 8288, distribution-spec "Listing tags") on the
 * registry's own origin, at most 100. `read` gets each answer with its page number from 1; false ends the reading.
 * Throws `REGISTRY_PAGING`.
 */
export async function readPages(
  transport: Transport,
  repository: string,
  request: { first: URL; accept: string },
  read: (response: HttpResponse, page: number) => boolean,
): Promise<void> {
  const cannot = (why: string) =>
    new UserError({
      code: 'REGISTRY_PAGING',
      what: `${transport.registry} does not let us read a list of ${repository} to its end`,
      why,
      fix: 'tell those who run the registry; what is not listed completely is never taken for absent',
    });
  let url = request.first;
  for (let page = 1; page <= PAGES_MAX; page += 1) {
    const response = await transport.send({
      method: 'GET',
      url,
      headers: { accept: request.accept },
      scopes: [pullScope(repository)],
      maxBytes: MANIFEST_MAX_BYTES,
    });
    const link = read(response, page) ? nextLink(response) : undefined;
    if (link === undefined) {
      return;
    }
    const next = URL.parse(link, url.href);
    if (next === null || !transport.isOwn(next)) {
      throw cannot(`its next page is not on its own host${next === null ? '' : ` but on ${next.host}`}`);
    }
    url = next;
  }
  throw cannot(`it has more than ${PAGES_MAX} pages`);
}

function nextLink(response: HttpResponse): string | undefined {
  return /<([^<>]*)>[^<>,]*;\s*rel="?next"?/i.exec(response.headers.get('link') ?? '')?.[1];
}
