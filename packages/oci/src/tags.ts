import { parseJsonWith } from '@gitless/core';
import * as v from 'valibot';
import { isAbsent } from './manifests.ts';
import { readPages } from './pages.ts';
import { isTag } from './reference.ts';
import type { Transport } from './transport.ts';

const TagList = v.object({
  tags: v.nullish(v.array(v.pipe(v.string(), v.check(isTag, '!wants a tag'))), []),
});

/**
 * All tags of a repository (distribution-spec, "Listing tags"); undefined if the registry says that there is no such
 * repository. Throws `BAD_TAG_LIST`, `REGISTRY_PAGING` and the codes of `registryError`.
 */
export async function fetchTags(transport: Transport, repository: string): Promise<string[] | undefined> {
  const tags: string[] = [];
  let absent = false;
  // ECR refuses more than 1000 a page.
  const request = { first: transport.url(repository, 'tags/list?n=1000'), accept: 'application/json' };
  await readPages(transport, repository, request, (response, page) => {
    if (page === 1 && isAbsent(response)) {
      absent = true;
      return false;
    }
    if (response.status !== 200) {
      throw transport.failure(response, `list the tags of ${repository}`);
    }
    const where = `the tag list of ${transport.registry}/${repository}`;
    tags.push(
      ...(parseJsonWith(TagList, response.body, {
        code: 'BAD_TAG_LIST',
        where,
        fix: 'check that no proxy answers in place of the registry',
      }).tags ?? []),
    );
    return true;
  });
  return absent ? undefined : tags;
}
