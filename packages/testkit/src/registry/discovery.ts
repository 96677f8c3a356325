import { isDigest } from '@gitless/core';
import { OCI_INDEX } from './manifest-schema.ts';
import { fail, json, type Reply } from './reply.ts';
import type { RegistryRequest } from './route.ts';
import type { Store } from './store.ts';
import type { RegistryOptions } from './types.ts';

/** GET of the tags, sorted, with `n`, `last` and a Link to the next page (distribution-spec end-8a, end-8b). */
export function listTags(store: Store, name: string, request: RegistryRequest): Reply {
  const repository = store.repositories.get(name);
  if (request.method !== 'GET') {
    return fail(405, 'UNSUPPORTED', 'tags are listed with GET');
  }
  if (repository === undefined) {
    return fail(404, 'NAME_UNKNOWN', 'repository name not known to registry', { name });
  }
  const last = request.url.searchParams.get('last');
  // By code unit, as the specification's "lexical order" is of ASCII: never by locale.
  const after = [...repository.tags.keys()].sort().filter((tag) => last === null || tag > last);
  const n = request.url.searchParams.get('n');
  if (n === null) {
    return json(200, { name, tags: after });
  }
  if (!/^\d+$/.test(n)) {
    return fail(400, 'UNSUPPORTED', 'n is not a number', { n });
  }
  const tags = after.slice(0, Number(n));
  const end = tags.at(-1);
  const more = end !== undefined && tags.length < after.length;
  return json(200, { name, tags }, more ? { link: `</v2/${name}/tags/list?n=${n}&last=${end}>; rel="next"` } : {});
}

/** GET of the referrers of a digest, filtered by `artifactType` (distribution-spec end-12a, end-12b): empty for an unknown digest or repository. */
export function listReferrers(
  store: Store,
  options: RegistryOptions,
  name: string,
  digest: string,
  request: RegistryRequest,
): Reply {
  if (options.referrers === false) {
    return fail(404, 'UNSUPPORTED', 'this registry has no referrers API');
  }
  if (request.method !== 'GET') {
    return fail(405, 'UNSUPPORTED', 'referrers are listed with GET');
  }
  if (!isDigest(digest)) {
    return fail(400, 'DIGEST_INVALID', 'provided digest is not a sha256 digest', { digest });
  }
  const wanted = request.url.searchParams.get('artifactType');
  const manifests = [...(store.repositories.get(name)?.manifests.values() ?? [])]
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
