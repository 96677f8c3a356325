import { describe, expect, it } from 'vitest';
import { REPOSITORY, withClient } from './client-fixture.ts';
import { type Handler, type Reply, registryReply } from './test-support.ts';

describe('tags', () => {
  const page = (tags: unknown, link?: string): Reply => ({
    status: 200,
    headers: link === undefined ? {} : { link },
    body: JSON.stringify({ name: REPOSITORY, tags }),
  });

  it('are listed over all pages', async () => {
    const handler: Handler = ({ url }) =>
      url.includes('last=') ? page(['b']) : page(['a'], `</v2/${REPOSITORY}/tags/list?n=1&last=a>; rel="next"`);
    await withClient(handler, async (client) => expect(await client.listTags(REPOSITORY)).toEqual(['a', 'b']));
  });

  it('are none in an empty repository, and undefined without one', async () => {
    await withClient(
      () => page(null),
      async (client) => expect(await client.listTags(REPOSITORY)).toEqual([]),
    );
    const absent = registryReply(404, 'NAME_UNKNOWN');
    await withClient(
      () => absent,
      async (client) => expect(await client.listTags(REPOSITORY)).toBeUndefined(),
    );
  });

  it.each([
    ['a page on another host', () => page(['a'], '<https://example.com/>; rel="next"'), 'REGISTRY_PAGING'],
    ['pages without end', ({ url }) => page(['a'], `<${url}>; rel=next`), 'REGISTRY_PAGING'],
    ['text that is no tag', () => page(['../x']), 'BAD_TAG_LIST'],
    ['an outage', () => ({ status: 503 }), 'REGISTRY_ERROR'],
    [
      'a later page that is gone',
      ({ url }) => (url.includes('last') ? registryReply(404, 'NAME_UNKNOWN') : page(['a'], '<?last=a>; rel="next"')),
      'REGISTRY_ERROR',
    ],
  ] satisfies [string, Handler, string][])('fail on %s', async (_name, handler, code) => {
    await withClient(handler, async (client) => {
      await expect(client.listTags(REPOSITORY)).rejects.toMatchObject({ code });
    });
  });
});
