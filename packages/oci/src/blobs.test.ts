import { describe, expect, it } from 'vitest';
import { createRegistryClient } from './client.ts';
import { blob, blobDescriptor, REPOSITORY, withClient } from './client-fixture.ts';
import { fakeStore } from './fake-store.ts';
import { registryReply, testContext, withServer } from './test-support.ts';

describe('blobs', () => {
  it('are uploaded once, with the digest appended to the query as it came', async () => {
    const store = fakeStore();
    await withClient(store.handle, async (client) => {
      await client.putBlob(REPOSITORY, blob, blobDescriptor.digest);
      await client.putBlob(REPOSITORY, blob, blobDescriptor.digest);
      expect(store.requests.map(({ method }) => method)).toEqual(['HEAD', 'POST', 'PUT', 'HEAD']);
      expect(store.requests[2]?.url).toMatch(/\?state=a%2Bb&digest=sha256%3A[0-9a-f]{64}$/);
      expect(await client.getBlob(REPOSITORY, blobDescriptor)).toEqual(blob);
    });
  });

  it('are mounted, or uploaded where mounting is not allowed', async () => {
    const mounting = fakeStore(({ url }) => (url.includes('mount=') ? { status: 201 } : undefined));
    await withClient(mounting.handle, async (client) => {
      await client.putBlob(REPOSITORY, blob, blobDescriptor.digest, 'acme/source');
      expect(mounting.requests.at(-1)?.url).toContain('from=acme%2Fsource');
      expect(mounting.requests.map(({ method }) => method)).toEqual(['HEAD', 'POST']);
    });
    const refusing = fakeStore(({ url }) => (url.includes('mount=') ? registryReply(403, 'DENIED') : undefined));
    await withClient(refusing.handle, async (client) => {
      await client.putBlob(REPOSITORY, blob, blobDescriptor.digest, 'acme/source');
      expect(refusing.blobs.size).toBe(1);
    });
  });

  it('are uploaded again when the session was lost', async () => {
    let lost = 0;
    const store = fakeStore(({ method, url }) => {
      lost += method === 'PUT' && url.includes('uploads') ? 1 : 0;
      return method === 'PUT' && lost === 1 ? registryReply(404, 'BLOB_UPLOAD_UNKNOWN') : undefined;
    });
    await withClient(store.handle, async (client) => {
      await client.putBlob(REPOSITORY, blob, blobDescriptor.digest);
      expect(lost).toBe(2);
    });
  });

  it.each([
    ['another content', 'blxb'],
    ['another size', 'blob and more'],
  ])('are refused with %s', async (_name, body) => {
    await withClient(
      () => ({ status: 200, body }),
      async (client) => {
        await expect(client.getBlob(REPOSITORY, blobDescriptor)).rejects.toMatchObject({ code: 'BLOB_MISMATCH' });
      },
    );
  });

  it('are read and written on other hosts without credentials', async () => {
    const authorization = `Basic ${Buffer.from('u:password').toString('base64')}`;
    const elsewhere = fakeStore(({ method, url }) =>
      url.startsWith('/back')
        ? { status: 200, body: blob }
        : method === 'GET'
          ? { status: 200, body: blob }
          : { status: 201 },
    );
    await withServer(elsewhere.handle, async (other) => {
      const registry = fakeStore(({ method, headers }) => {
        if (headers['authorization'] !== authorization) {
          return { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
        }
        return method === 'GET'
          ? { status: 307, headers: { location: `http://${other}/signed` } }
          : method === 'POST'
            ? { status: 202, headers: { location: `http://${other}/upload` } }
            : undefined;
      });
      await withServer(registry.handle, async (host) => {
        const credentials = { kind: 'basic', username: 'u', password: 'password' } as const;
        const client = createRegistryClient(testContext(), { registry: host, credentials, plainHttp: true });
        expect(await client.getBlob(REPOSITORY, blobDescriptor)).toEqual(blob);
        await client.putBlob(REPOSITORY, blob, blobDescriptor.digest);
        expect(elsewhere.requests.map(({ method }) => method)).toEqual(['GET', 'PUT']);
        expect(elsewhere.requests.map(({ headers }) => headers['authorization'])).toEqual([undefined, undefined]);
      });
    });
  });

  it('are not looked for over plain http elsewhere, nor in circles', async () => {
    for (const location of ['http://example.com/blob', 'file:///etc/passwd', '/v2/loop']) {
      await withClient(
        () => ({ status: 307, headers: { location } }),
        async (client) => {
          await expect(client.getBlob(REPOSITORY, blobDescriptor)).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
        },
      );
    }
  });
});
