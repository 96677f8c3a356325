import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { connect } from './connect.ts';
import { EMPTY, image, placeIn } from './raw.ts';
import type { RegistryUnderTest, RunningRegistry } from './registry.ts';

const TAGS = Array.from({ length: 250 }, (_, index) => `v${String(index).padStart(3, '0')}`);
const PageSchema = v.object({ tags: v.array(v.string()) });

/** A long list of tags, by plain requests and through our client. */
export function defineTagTests({ kind, tagsPerPage }: RegistryUnderTest, running: () => RunningRegistry): void {
  describe('250 tags', () => {
    it('come in pages, each with the way to the next', async () => {
      const place = placeIn(running(), 'tags/many');
      await place.pushBlob(EMPTY);
      await Promise.all(
        Array.from({ length: 5 }, async (_, lane) => {
          for (const tag of TAGS.filter((_tag, index) => index % 5 === lane)) {
            expect((await place.putManifest(tag, image())).status).toBe(201);
          }
        }),
      );
      const pages: string[][] = [];
      for (let query: string | undefined = '?n=100'; query !== undefined; ) {
        const page = await place.send('GET', `/v2/tags/many/tags/list${query}`);
        const { tags } = v.parse(PageSchema, await page.json());
        pages.push(tags);
        const link = /<[^>]*(\?[^>]*)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
        // go-containerregistry gives a page and no way to the next: one has to know that there is more.
        const known = tags.length === 100 ? `?n=100&last=${tags.at(-1)}` : undefined;
        query = kind === 'go-containerregistry' ? known : link;
      }
      expect(pages).toEqual([TAGS.slice(0, 100), TAGS.slice(100, 200), TAGS.slice(200)]);
    });

    it('are all found, in as many requests as there are pages', async () => {
      const { client, sent } = connect(running().host, running().credentials);
      await client.listTags('tags/none');
      await client.getManifest('tags/many', 'v000');
      sent.length = 0;
      expect(await client.listTags('tags/many')).toEqual(TAGS);
      expect(sent).toHaveLength(Math.ceil(TAGS.length / (tagsPerPage ?? TAGS.length)));
    });

    it('are not mixed up with no tags and no repository', async () => {
      const place = placeIn(running(), 'tags/deleted');
      await place.pushBlob(EMPTY);
      await place.putManifest('v1', image());
      await place.send('DELETE', '/v2/tags/deleted/manifests/v1');
      const { client } = connect(running().host, running().credentials);
      expect(await client.listTags('tags/deleted')).toEqual([]);
      expect(await client.listTags('tags/none')).toBeUndefined();
    });
  });
}
