import { type Digest, sha256 } from '@gitless/core';
import { afterEach, describe, expect, it } from 'vitest';
import {
  closeAll,
  codes,
  EMPTY,
  EMPTY_CONFIG,
  INDEX,
  image,
  MANIFEST,
  pushBlob,
  putManifest,
  start,
} from './testing.ts';

afterEach(closeAll);

describe('discovery', () => {
  it('lists tags sorted, in pages', async () => {
    const registry = await start();
    await pushBlob(registry, 'acme/web', EMPTY);
    for (const tag of ['b', 'a', 'B', 'c']) {
      await putManifest(registry, `acme/web/manifests/${tag}`, image());
    }
    const pages: unknown[] = [];
    let next: string | undefined = '/v2/acme/web/tags/list?n=2';
    while (next !== undefined) {
      const page: Response = await fetch(registry.at(next));
      pages.push(await page.json());
      next = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(pages).toEqual([
      { name: 'acme/web', tags: ['B', 'a'] },
      { name: 'acme/web', tags: ['b', 'c'] },
      { name: 'acme/web', tags: [] },
    ]);
    const none = await fetch(registry.at('/v2/acme/web/tags/list?n=0'));
    expect([await none.json(), none.headers.get('link')]).toEqual([{ name: 'acme/web', tags: [] }, null]);
    const unknown = await fetch(registry.at('/v2/acme/none/tags/list'));
    expect([unknown.status, await codes(unknown)]).toEqual([404, ['NAME_UNKNOWN']]);
  });

  const subject = { mediaType: MANIFEST, digest: sha256('not there yet'), size: 13 };
  const signature = image({ subject, artifactType: 'application/x-signature', annotations: { k: 'v' } });
  const plain = image({ subject });

  it('lists the referrers of a subject that need not exist, and filters them', async () => {
    const registry = await start();
    await pushBlob(registry, 'acme/web', EMPTY);
    const put = await putManifest(registry, `acme/web/manifests/${sha256(signature)}`, signature);
    expect(put.headers.get('oci-subject')).toBe(subject.digest);
    await putManifest(registry, `acme/web/manifests/${sha256(plain)}`, plain);
    const list = async (query: string) => {
      const answer = await fetch(registry.at(`/v2/acme/web/referrers/${subject.digest}${query}`));
      return [answer.headers.get('content-type'), answer.headers.get('oci-filters-applied'), await answer.json()];
    };
    const entry = (body: string, artifactType: string, members: object) => ({
      mediaType: MANIFEST,
      digest: sha256(body),
      size: body.length,
      artifactType,
      ...members,
    });
    const signed = entry(signature, 'application/x-signature', { annotations: { k: 'v' } });
    const unnamed = entry(plain, EMPTY_CONFIG.mediaType, {});
    const index = (manifests: object[]) => ({ schemaVersion: 2, mediaType: INDEX, manifests });
    expect(await list('')).toEqual([INDEX, null, index([signed, unnamed])]);
    expect(await list('?artifactType=application/x-signature')).toEqual([INDEX, 'artifactType', index([signed])]);
    const other = await fetch(registry.at(`/v2/acme/web/referrers/${sha256('other')}`));
    expect([other.status, await other.json()]).toEqual([200, index([])]);
  });

  it('has neither API nor OCI-Subject without referrers, but keeps the fallback tag', async () => {
    const registry = await start({ referrers: false });
    await pushBlob(registry, 'acme/web', EMPTY);
    const put = await putManifest(registry, `acme/web/manifests/${sha256(signature)}`, signature);
    expect([put.status, put.headers.get('oci-subject')]).toEqual([201, null]);
    const api = await fetch(registry.at(`/v2/acme/web/referrers/${subject.digest}`));
    expect(api.status).toBe(404);

    const fallback = (digest: Digest) =>
      JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [{ mediaType: MANIFEST, digest, size: 1 }] });
    const tag = `acme/web/manifests/${subject.digest.replace(':', '-')}`;
    const dangling = await putManifest(registry, tag, fallback(sha256('?')), INDEX);
    expect([dangling.status, await codes(dangling)]).toEqual([400, ['MANIFEST_BLOB_UNKNOWN']]);
    const kept = await putManifest(registry, tag, fallback(sha256(signature)), INDEX);
    expect(kept.status).toBe(201);
  });
});
