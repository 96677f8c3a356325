import { isDigest } from '@gitless/core';
import { OCI_INDEX } from './manifest-schema.ts';
import { fail, json, notAllowed, notFound, type Reply } from './reply.ts';
import type { RegistryRequest } from './route.ts';
import type { Store } from './store.ts';
import type { RegistryOptions } from './types.ts';

/** As distribution (`tags.maxtags`). */
const DEFAULT_TAGS_PER_PAGE = 1000;

/** GET of the tags, sorted, with `n`, `last` and a Link to the next page (distribution-spec end-8a, end-8b). */
export function listTags(store: Store, options: RegistryOptions, name: string, request: RegistryRequest): Reply {
  const repository = store.repositories.get(name);
  if (request.method !== 'GET') {
    return notAllowed('GET');
  }
  if (repository === undefined) {
    return unknownRepository(name);
  }
  const last = request.url.searchParams.get('last');
  // By code unit, as the specification's "lexical order" is of ASCII: never by locale.
  const after = [...repository.tags.keys()].sort().filter((tag) => last === null || tag > last);
  const n = request.url.searchParams.get('n');
  if (n === null) {
    return json(200, { name, tags: after });
  }
  if (!/^\d+$/.test(n)) {
    return fail(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results requested', { n });
  }
  const limit = Math.min(Number(n), options.tagsPerPage ?? DEFAULT_TAGS_PER_PAGE);
  const tags = after.slice(0, limit);
  const end = tags.at(-1);
  // A full page links to the next one, even if that will be empty.
  const link = `</v2/${name}/tags/list?last=${end}&n=${limit}>; rel="next"`;
  return json(200, { name, tags }, end !== undefined && tags.length === limit ? { link } : {});
}

/** GET of the referrers of a digest, filtered by `artifactType` (distribution-spec end-12a, end-12b): empty for an unknown digest. */
export function listReferrers(
  store: Store,
  options: RegistryOptions,
  name: string,
  digest: string,
  request: RegistryRequest,
): Reply {
  if (options.referrers === false) {
    return notFound();
  }
  if (request.method !== 'GET') {
    return notAllowed('GET');
  }
  if (!isDigest(digest)) {
    return fail(400, 'UNSUPPORTED', 'target must be a sha256 digest', digest);
  }
  const repository = store.repositories.get(name);
  if (repository === undefined) {
    return unknownRepository(name);
  }
  const wanted = request.url.searchParams.get('artifactType');
  const manifests = [...repository.manifests.values()]
    .filter((manifest) => manifest.subject === digest && (wanted === null || manifest.artifactType === wanted))
    .map(({ mediaType, digest: referrer, bytes, artifactType, annotations }) => ({
      mediaType,
      digest: referrer,
      size: bytes.length,
      artifactType,
      annotations,
    }));
  return json(
    200,
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests },
    { 'content-type': OCI_INDEX, ...(wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }) },
  );
}

function unknownRepository(name: string): Reply {
  return fail(404, 'NAME_UNKNOWN', 'repository name not known to registry', { name });
}
