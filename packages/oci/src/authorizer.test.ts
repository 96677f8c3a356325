import { describe, expect, it } from 'vitest';
import type { Credentials } from './authorizer.ts';
import { createRegistryClient, type RegistryClient } from './client.ts';
import {
  type Handler,
  type Received,
  type Reply,
  registryReply,
  type TestContext,
  testContext,
  withServer,
} from './test-support.ts';

const basic: Credentials = { kind: 'basic', username: 'robot', password: 'hunter2-hunter2' };
const encoded = Buffer.from('robot:hunter2-hunter2').toString('base64');
const absent: Reply = registryReply(404, 'MANIFEST_UNKNOWN');

interface Run {
  readonly client: RegistryClient;
  readonly context: TestContext;
  readonly requests: Received[];
}

async function withClient(
  handler: Handler,
  credentials: Credentials,
  work: (run: Run) => Promise<void>,
): Promise<void> {
  const requests: Received[] = [];
  const recorded: Handler = (request) => {
    requests.push(request);
    return handler(request);
  };
  await withServer(recorded, async (registry) => {
    const context = testContext();
    await work({
      client: createRegistryClient(context, { registry, credentials, plainHttp: true }),
      context,
      requests,
    });
  });
}

/** Wants the newest token that `/token` gave out. */
function bearerRegistry(token: (request: Received, count: number) => Reply): Handler {
  let count = 0;
  return (request) => {
    if (request.url.startsWith('/token')) {
      count += 1;
      return token(request, count);
    }
    if (request.headers['authorization'] === `Bearer token-${count}`) {
      return absent;
    }
    const challenge = 'bearer Realm="/token?keep=1", service="registry, here", scope="repository:acme/web:pull"';
    return { status: 401, headers: { 'www-authenticate': challenge } };
  };
}

const giveToken = (_request: Received, count: number): Reply => ({
  status: 200,
  body: JSON.stringify({ token: `token-${count}`, expires_in: 100 }),
});

describe('a registry with a token service', () => {
  it('gets a token with Basic credentials, masks every secret before it is used, and keeps the token until shortly before its end', async () => {
    await withClient(bearerRegistry(giveToken), basic, async ({ client, context, requests }) => {
      await client.getManifest('acme/web', 'latest');
      await client.getManifest('acme/web', 'stable');
      const token = requests.filter(({ url }) => url.startsWith('/token'));
      expect(token.map(({ url }) => Object.fromEntries(new URL(url, 'http://x').searchParams))).toEqual([
        { keep: '1', service: 'registry, here', scope: 'repository:acme/web:pull,push' },
      ]);
      expect(token[0]?.headers['authorization']).toBe(`Basic ${encoded}`);
      expect(context.masked).toEqual(['hunter2-hunter2', encoded, 'token-1']);
      context.clock = 89_000;
      await client.getManifest('acme/web', 'latest');
      expect(requests).toHaveLength(5);
      context.clock = 90_000;
      await client.getManifest('acme/web', 'latest');
      expect(context.masked.at(-1)).toBe('token-2');
    });
  });

  it('asks without credentials, and to read only, when there are none', async () => {
    await withClient(bearerRegistry(giveToken), { kind: 'anonymous' }, async ({ client, requests }) => {
      await client.getManifest('acme/web', 'latest');
      expect(requests[1]?.url).toContain(encodeURIComponent('repository:acme/web:pull'));
      expect(requests[1]?.url).not.toContain('push');
      expect(requests[1]?.headers['authorization']).toBeUndefined();
    });
  });

  it('asks to read only when the service refuses more', async () => {
    const strict = bearerRegistry((request, count) =>
      request.url.includes('push') ? registryReply(403, 'DENIED') : giveToken(request, count),
    );
    await withClient(strict, basic, async ({ client }) => {
      expect(await client.getManifest('acme/web', 'latest')).toBeUndefined();
    });
  });

  it('fetches a token anew once when a kept one is refused', async () => {
    let revoked = false;
    const handler = bearerRegistry(giveToken);
    const revoking: Handler = (request) => {
      const isRevoked = revoked && request.headers['authorization'] === 'Bearer token-1';
      return isRevoked ? handler({ ...request, headers: {} }) : handler(request);
    };
    await withClient(revoking, basic, async ({ client, context }) => {
      await client.getManifest('acme/web', 'latest');
      revoked = true;
      expect(await client.getManifest('acme/web', 'latest')).toBeUndefined();
      expect(context.masked.at(-1)).toBe('token-2');
    });
  });

  it('widens its scope by what the registry names for the same repository, and by nothing else', async () => {
    const handler: Handler = (request) =>
      request.url.startsWith('/token')
        ? { status: 200, body: '{"access_token":"t"}' }
        : request.headers['authorization'] === undefined
          ? {
              status: 401,
              headers: {
                'www-authenticate':
                  'Bearer realm="/token",scope="repository:acme/web:pull,delete repository:other:push"',
              },
            }
          : absent;
    await withClient(handler, { kind: 'anonymous' }, async ({ client, requests }) => {
      await client.getManifest('acme/web', 'latest');
      await client.getManifest('acme/web', 'latest');
      expect(requests.flatMap(({ url }) => new URL(url, 'http://x').searchParams.getAll('scope'))).toEqual([
        'repository:acme/web:pull,delete',
      ]);
    });
  });

  it.each([
    ['a redirect', { status: 307, headers: { location: 'https://elsewhere.example/' } }, 'REALM_REFUSED'],
    ['wrong credentials', registryReply(401, 'UNAUTHORIZED'), 'REGISTRY_UNAUTHORIZED'],
    ['no right', registryReply(403, 'DENIED'), 'REGISTRY_DENIED'],
    ['an outage', { status: 500 }, 'REGISTRY_ERROR'],
    ['a page', { status: 200, body: '<html>hunter2</html>' }, 'BAD_TOKEN_RESPONSE'],
    ['no token', { status: 200, body: '{}' }, 'BAD_TOKEN_RESPONSE'],
    ['a token that breaks the header', { status: 200, body: '{"token":"hunter2\\r\\nx: y"}' }, 'BAD_TOKEN_RESPONSE'],
  ])('fails on %s, quoting no secret', async (_name, reply: Reply, code) => {
    await withClient(
      bearerRegistry(() => reply),
      basic,
      async ({ client }) => {
        const failure = await client.getManifest('acme/web', 'latest').catch((error: unknown) => error);
        expect(failure).toMatchObject({ code });
        expect(JSON.stringify(failure)).not.toMatch(/hunter2/);
      },
    );
  });

  it('sends nothing to a realm on another host', async () => {
    const handler: Handler = () => ({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="https://ghrc.example/token"' },
    });
    await withClient(handler, basic, async ({ client, requests }) => {
      await expect(client.getManifest('acme/web', 'latest')).rejects.toMatchObject({ code: 'REALM_REFUSED' });
      expect(requests).toHaveLength(1);
    });
  });
});

describe('a registry that takes Basic', () => {
  const handler: Handler = (request) =>
    request.headers['authorization'] === `Basic ${encoded}`
      ? absent
      : { status: 401, headers: { 'www-authenticate': 'Basic realm="registry"' } };

  it('gets it only after it has asked, also from requests at the same time', async () => {
    await withClient(handler, basic, async ({ client, requests }) => {
      await Promise.all(['a', 'b', 'c'].map((tag) => client.getManifest('acme/web', tag)));
      expect(requests.slice(0, 3).map(({ headers }) => headers['authorization'])).toContain(undefined);
      await client.getManifest('acme/web', 'd');
      expect(requests.at(-1)?.headers['authorization']).toBe(`Basic ${encoded}`);
    });
  });

  it('is told apart by the kind of credentials that it refused', async () => {
    await withClient(handler, { kind: 'anonymous' }, async ({ client }) => {
      await expect(client.getManifest('acme/web', 'a')).rejects.toThrow(
        /without credentials \[REGISTRY_UNAUTHORIZED\]/,
      );
    });
    await withClient(handler, { ...basic, password: 'wrong-wrong' }, async ({ client, requests }) => {
      await expect(client.getManifest('acme/web', 'a')).rejects.toThrow(/with a user name .*REGISTRY_UNAUTHORIZED/);
      expect(requests).toHaveLength(2);
    });
  });
});
