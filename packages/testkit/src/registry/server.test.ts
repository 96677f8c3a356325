import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@gitless/core';
import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, EMPTY, EMPTY_CONFIG, image, pushBlob, putManifest, start } from './testing.ts';

afterEach(closeAll);

describe('faults', () => {
  it('answers what it is told to, without doing anything', async () => {
    const registry = await start();
    registry.onRequest = ({ index }) =>
      index === 0 ? { kind: 'status', status: 429, headers: { 'retry-after': '1' }, body: 'slow down' } : undefined;
    const first = await pushBlob(registry, 'acme/web', EMPTY);
    expect([first.status, first.headers.get('retry-after'), await first.text()]).toEqual([429, '1', 'slow down']);
    expect(registry.blob(EMPTY_CONFIG.digest)).toBeUndefined();
    const second = await pushBlob(registry, 'acme/web', EMPTY);
    expect(second.status).toBe(201);
  });

  it.each([
    ['reset', undefined],
    ['reset-after', Buffer.from(EMPTY)],
    ['truncate', Buffer.from(EMPTY)],
  ] as const)('%s cuts the connection', async (kind, kept) => {
    const registry = await start();
    registry.onRequest = () => ({ kind });
    await expect(pushBlob(registry, 'acme/web', EMPTY)).rejects.toThrow('fetch failed');
    expect(registry.blob(EMPTY_CONFIG.digest)).toEqual(kept);
  });

  it('truncates a body under the length of the whole', async () => {
    const registry = await start();
    const content = new TextEncoder().encode('0123456789');
    await pushBlob(registry, 'acme/web', content);
    registry.onRequest = () => ({ kind: 'truncate' });
    const answer = await fetch(registry.at(`/v2/acme/web/blobs/${sha256(content)}`));
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '10']);
    await expect(answer.text()).rejects.toThrow('terminated');
  });

  it('hangs until the client gives up, and still closes', async () => {
    const registry = await start();
    registry.onRequest = () => ({ kind: 'hang' });
    await expect(fetch(registry.at('/v2/'), { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
    expect(registry.requests).toEqual([{ method: 'GET', path: '/v2/', status: 0, authorization: 'none' }]);
  });
});

describe('the server', () => {
  it('dumps tags and manifests as plain files', async () => {
    const registry = await start();
    await pushBlob(registry, 'acme/web', EMPTY);
    await putManifest(registry, 'acme/web/manifests/latest', image());
    const dir = await mkdtemp(join(tmpdir(), 'registry-'));
    await registry.dump(dir);
    const digest = sha256(image());
    const tag = await readFile(join(dir, 'acme/web/_tags/latest'), 'utf8');
    const manifest = await readFile(join(dir, `acme/web/_manifests/${digest.replace(':', '-')}.json`), 'utf8');
    await rm(dir, { recursive: true });
    expect([tag, manifest]).toEqual([`${digest}\n`, image()]);
  });

  it.each([
    '/v2/../secret/manifests/v1',
    '/v2/Acme/web/manifests/v1',
    '/v2/a//b/manifests/v1',
    '/v2/a%2e%2e/tags/list',
  ])('refuses the name in %s', async (path) => {
    const registry = await start();
    // Not with fetch: it would clean the path.
    const status = await new Promise((resolve, reject) => {
      httpRequest(registry.at(''), { path }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect([400, 404]).toContain(status);
    expect(registry.requests[0]?.path).toBe(path);
  });
});
