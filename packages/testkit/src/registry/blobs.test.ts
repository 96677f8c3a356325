import { sha256 } from '@gitless/core';
import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, codes, EMPTY, EMPTY_CONFIG, pushBlob, start } from './testing.ts';

afterEach(closeAll);

describe('blobs', () => {
  it('takes a single POST and serves it by digest, until it is deleted', async () => {
    const registry = await start();
    const content = new TextEncoder().encode('layer');
    const digest = sha256(content);
    const pushed = await pushBlob(registry, 'acme/web', content);
    expect([pushed.status, pushed.headers.get('location')]).toEqual([201, `/v2/acme/web/blobs/${digest}`]);

    const head = await fetch(registry.at(`/v2/acme/web/blobs/${digest}`), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), head.headers.get('docker-content-digest')]).toEqual([
      200,
      '5',
      digest,
    ]);
    const got = await fetch(registry.at(`/v2/acme/web/blobs/${digest}`));
    expect(await got.text()).toBe('layer');
    expect(registry.blob(digest)).toEqual(Buffer.from(content));

    const elsewhere = await fetch(registry.at(`/v2/acme/api/blobs/${digest}`));
    expect([elsewhere.status, await codes(elsewhere)]).toEqual([404, ['BLOB_UNKNOWN']]);
    const deleted = await fetch(registry.at(`/v2/acme/web/blobs/${digest}`), { method: 'DELETE' });
    expect(deleted.status).toBe(202);
    const gone = await fetch(registry.at(`/v2/acme/web/blobs/${digest}`));
    expect(gone.status).toBe(404);
  });

  it('refuses content that is not what its digest says', async () => {
    const registry = await start();
    const url = registry.at(`/v2/acme/web/blobs/uploads/?digest=${sha256('other')}`);
    const answer = await fetch(url, { method: 'POST', body: 'layer' });
    expect([answer.status, await codes(answer)]).toEqual([400, ['DIGEST_INVALID']]);
    expect(registry.blob(sha256('layer'))).toBeUndefined();
  });

  it('takes chunks in order only, and tells where to go on', async () => {
    const registry = await start();
    const post = await fetch(registry.at('/v2/acme/web/blobs/uploads/'), { method: 'POST' });
    expect(post.status).toBe(202);
    const session = registry.at(post.headers.get('location') ?? '');
    const chunk = (range: string, body: string) =>
      fetch(session, { method: 'PATCH', body, headers: { 'content-range': range } });

    const first = await chunk('0-2', 'abc');
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-2']);
    const gap = await chunk('4-5', 'ef');
    expect([gap.status, await codes(gap)]).toEqual([416, ['RANGE_INVALID']]);
    const unit = await chunk('bytes 3-4', 'de');
    expect(unit.status).toBe(416);
    const status = await fetch(session);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-2']);
    const put = await fetch(`${session}?digest=${sha256('abcde')}`, { method: 'PUT', body: 'de' });
    expect([put.status, registry.blob(sha256('abcde'))]).toEqual([201, Buffer.from('abcde')]);
    const after = await fetch(session);
    expect([after.status, await codes(after)]).toEqual([404, ['BLOB_UPLOAD_UNKNOWN']]);
  });

  it('forgets a cancelled upload', async () => {
    const registry = await start();
    const post = await fetch(registry.at('/v2/acme/web/blobs/uploads/'), { method: 'POST' });
    const session = registry.at(post.headers.get('location') ?? '');
    const cancelled = await fetch(session, { method: 'DELETE' });
    const after = await fetch(session);
    expect([cancelled.status, after.status]).toEqual([204, 404]);
  });

  it('mounts from another repository, and opens an upload when there is nothing to mount', async () => {
    const registry = await start();
    await pushBlob(registry, 'acme/web', EMPTY);
    const mount = (from: string) =>
      fetch(registry.at(`/v2/acme/prod/blobs/uploads/?mount=${EMPTY_CONFIG.digest}${from}`), { method: 'POST' });
    const wrong = await mount('&from=acme/none');
    expect([wrong.status, wrong.headers.get('location')]).toEqual([202, expect.stringContaining('/blobs/uploads/')]);
    const right = await mount('&from=acme/web');
    const anonymous = await mount('');
    expect([right.status, anonymous.status]).toEqual([201, 202]);
    const head = await fetch(registry.at(`/v2/acme/prod/blobs/${EMPTY_CONFIG.digest}`), { method: 'HEAD' });
    expect(head.status).toBe(200);
  });
});
