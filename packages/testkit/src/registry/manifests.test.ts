import { sha256 } from '@gitless/core';
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

describe('manifests', () => {
  it('keeps the bytes, by digest first and tag last', async () => {
    const registry = await start();
    await pushBlob(registry, 'acme/web', EMPTY);
    const body = image();
    const digest = sha256(body);
    const byDigest = await putManifest(registry, `acme/web/manifests/${digest}`, body);
    expect([byDigest.status, byDigest.headers.get('docker-content-digest')]).toEqual([201, digest]);
    expect(registry.tags('acme/web').size).toBe(0);
    await putManifest(registry, 'acme/web/manifests/latest', body);

    const got = await fetch(registry.at('/v2/acme/web/manifests/latest'), {
      headers: { accept: `text/x, ${MANIFEST};q=0.5` },
    });
    expect([got.headers.get('content-type'), await got.text()]).toEqual([MANIFEST, body]);
    expect(registry.tagHistory).toEqual([{ repository: 'acme/web', tag: 'latest', digest }]);
    expect(registry.manifests('acme/web').map((manifest) => manifest.digest)).toEqual([digest]);
  });

  it('hides a manifest from an Accept header that does not list its type', async () => {
    const registry = await start();
    await pushBlob(registry, 'acme/web', EMPTY);
    await putManifest(registry, 'acme/web/manifests/v1', image());
    for (const accept of ['*/*', INDEX]) {
      const answer = await fetch(registry.at('/v2/acme/web/manifests/v1'), { headers: { accept } });
      expect([answer.status, await codes(answer)]).toEqual([404, ['MANIFEST_UNKNOWN']]);
    }
  });

  it.each([
    ['a wrong digest', `manifests/${sha256('x')}`, image(), MANIFEST, 400, 'DIGEST_INVALID'],
    ['a truncated digest', 'manifests/sha256:abc', image(), MANIFEST, 400, 'DIGEST_INVALID'],
    ['another Content-Type', 'manifests/v1', image({ mediaType: INDEX }), MANIFEST, 400, 'MANIFEST_INVALID'],
    ['an unknown Content-Type', 'manifests/v1', image(), 'application/json', 400, 'MANIFEST_INVALID'],
    ['no JSON', 'manifests/v1', '{', MANIFEST, 400, 'MANIFEST_INVALID'],
    [
      'more than 4 MiB',
      'manifests/v1',
      image({ annotations: { a: 'x'.repeat(4 << 20) } }),
      MANIFEST,
      400,
      'MANIFEST_INVALID',
    ],
    [
      'an unknown layer',
      'manifests/v1',
      image({ layers: [{ ...EMPTY_CONFIG, digest: sha256('?') }] }),
      MANIFEST,
      400,
      'MANIFEST_BLOB_UNKNOWN',
    ],
  ])('refuses %s', async (_what, path, body, type, status, code) => {
    const registry = await start();
    await pushBlob(registry, 'acme/web', EMPTY);
    const answer = await putManifest(registry, `acme/web/${path}`, body, type);
    expect([answer.status, await codes(answer)]).toEqual([status, [code]]);
    expect([registry.manifests('acme/web'), registry.tagHistory]).toEqual([[], []]);
  });

  it('does not ask for layers that registries do not hold, nor for a subject', async () => {
    const registry = await start();
    await pushBlob(registry, 'acme/web', EMPTY);
    const foreign = {
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
      digest: sha256('f'),
      size: 1,
    };
    const body = image({ layers: [foreign], subject: { mediaType: MANIFEST, digest: sha256('s'), size: 1 } });
    const answer = await putManifest(registry, 'acme/web/manifests/v1', body);
    expect(answer.status).toBe(201);
  });

  it('deletes a tag alone, and a digest with its tags', async () => {
    const registry = await start();
    await pushBlob(registry, 'acme/web', EMPTY);
    const digest = sha256(image());
    await putManifest(registry, 'acme/web/manifests/a', image());
    await putManifest(registry, 'acme/web/manifests/b', image());
    await fetch(registry.at('/v2/acme/web/manifests/a'), { method: 'DELETE' });
    expect([...registry.tags('acme/web')]).toEqual([['b', digest]]);
    await fetch(registry.at(`/v2/acme/web/manifests/${digest}`), { method: 'DELETE' });
    expect([registry.tags('acme/web').size, registry.manifests('acme/web').length]).toEqual([0, 0]);
    const again = await fetch(registry.at(`/v2/acme/web/manifests/${digest}`), { method: 'DELETE' });
    expect(again.status).toBe(404);
  });

  it('never overwrites an immutable tag, not even with the same digest', async () => {
    const registry = await start({ immutableTags: (tag) => tag.startsWith('v') });
    await pushBlob(registry, 'acme/web', EMPTY);
    for (const tag of ['v1', 'latest']) {
      await putManifest(registry, `acme/web/manifests/${tag}`, image());
    }
    const again = await putManifest(registry, 'acme/web/manifests/v1', image());
    const moved = await putManifest(registry, 'acme/web/manifests/latest', image({ annotations: { b: '2' } }));
    expect([again.status, await codes(again), moved.status]).toEqual([400, ['TAG_INVALID'], 201]);
  });
});
