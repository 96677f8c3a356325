import { readFile } from 'node:fs/promises';
import { type ActionRun, type Fault, type RegistryOptions, startRegistry, type TestRegistry } from '@gitless/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectMessage, type ShippedWorld, startShippedWorld } from './refusal.ts';
import { requireSuccess } from './support.ts';

const LOGIN = { username: 'robot', password: 'correct-horse-battery' } as const;
let world: ShippedWorld;
beforeAll(async () => {
  world = await startShippedWorld();
});
afterAll(() => world.close());

const registries: TestRegistry[] = [];
afterEach(() => Promise.all(registries.splice(0).map((registry) => registry.close())));

interface Job {
  readonly registry: TestRegistry;
  /** In the same job, so that a second push meets what the first one left. */
  push(inputs?: Record<string, string>): Promise<ActionRun>;
}

/** A job in which `web` is signed and waits for its push to a registry of its own. */
async function job(options: RegistryOptions = {}): Promise<Job> {
  const registry = await startRegistry(options);
  registries.push(registry);
  const temp = await world.tempBefore('push');
  return {
    registry,
    push: (inputs = {}) => world.run('push', { registry: `${registry.host}/acme`, ...inputs }, { temp }),
  };
}

/** The component failed: the step says so, leaves a result that says so, and no tag names anything. */
async function expectNotShipped(
  { registry }: Job,
  run: ActionRun,
  code: string,
  says: readonly string[],
): Promise<void> {
  expectMessage(run, { code, says: ['web failed [COMPONENTS_FAILED]', ...says] });
  expect(registry.tagHistory).toEqual([]);
  expect(run.outputs).toMatchObject({ digest: '', digests: '{}', reference: '', pushed: 'false' });
  const result: unknown = JSON.parse(await readFile(run.outputs['result'] ?? '', 'utf8'));
  expect(result).toMatchObject({ components: [{ name: 'web', status: 'failed', error: { code } }] });
  expect(run.stdout.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(LOGIN.password);
}

describe('a registry that does not answer', () => {
  it('is named, and nothing is taken for absent → HTTP_UNREACHABLE', async () => {
    const down = await job();
    await down.registry.close();
    await expectNotShipped(down, await down.push(), 'HTTP_UNREACHABLE', [
      down.registry.host,
      'after one try',
      'ECONNREFUSED',
      'proxy',
    ]);
  });

  it.each<[string, Fault, string]>([
    ['cuts the connection', { kind: 'reset' }, 'HTTP_UNREACHABLE'],
    ['answers 503', { kind: 'status', status: 503 }, 'REGISTRY_ERROR'],
    ['answers 429', { kind: 'status', status: 429 }, 'REGISTRY_ERROR'],
  ])('%s while the referrers are listed', async (_when, fault, code) => {
    const failing = await job();
    failing.registry.onRequest = ({ path }) => (path.includes('/referrers/') ? fault : undefined);
    await expectNotShipped(failing, await failing.push(), code, []);
  });
});

describe('credentials', () => {
  const readOnly = (_user: string, _repository: string, action: string) => action === 'pull';

  it.each<{ what: string; auth: NonNullable<RegistryOptions['auth']>; given: object; code: string; says: string[] }>([
    {
      what: 'none are given',
      auth: { kind: 'basic', ...LOGIN },
      given: {},
      code: 'REGISTRY_UNAUTHORIZED',
      says: ['without credentials', 'give credentials'],
    },
    {
      what: 'none are given',
      auth: { kind: 'bearer', ...LOGIN },
      given: {},
      code: 'REGISTRY_UNAUTHORIZED',
      says: ['without credentials', 'give credentials'],
    },
    {
      what: 'the password is wrong',
      auth: { kind: 'basic', ...LOGIN, password: 'another' },
      given: LOGIN,
      code: 'REGISTRY_UNAUTHORIZED',
      says: ['with a user name and password or token', 'have not expired'],
    },
    {
      what: 'the password is wrong',
      auth: { kind: 'bearer', ...LOGIN, password: 'another' },
      given: LOGIN,
      code: 'REGISTRY_UNAUTHORIZED',
      says: ['get a token', 'have not expired'],
    },
    {
      what: 'they may only pull',
      auth: { kind: 'basic', ...LOGIN, allow: readOnly },
      given: LOGIN,
      code: 'REGISTRY_DENIED',
      says: ['give these credentials the right to do this'],
    },
    {
      what: 'they may only pull',
      auth: { kind: 'bearer', ...LOGIN, allow: readOnly },
      given: LOGIN,
      code: 'REGISTRY_UNAUTHORIZED',
      says: ['upload', 'may do this in this repository'],
    },
  ])('$what, $auth.kind → $code', async ({ auth, given, code, says }) => {
    const locked = await job({ auth });
    await expectNotShipped(locked, await locked.push({ ...given }), code, [locked.registry.host, ...says]);
  });

  it.each(['blobs/uploads', 'manifests/sha256:', 'manifests/b-'])(
    'expire at the first write of %s: no tag; with fresh ones the same job goes on → REGISTRY_UNAUTHORIZED',
    async (write) => {
      const locked = await job({ auth: { kind: 'basic', ...LOGIN } });
      const unauthorized = { kind: 'status', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } } as const;
      let expired = false;
      locked.registry.onRequest = ({ method, path }) => {
        expired ||= /^P(?:OST|UT)$/.test(method) && path.includes(write);
        return expired ? unauthorized : undefined;
      };
      await expectNotShipped(locked, await locked.push(LOGIN), 'REGISTRY_UNAUTHORIZED', ['have not expired']);
      locked.registry.onRequest = undefined;
      requireSuccess(await locked.push(LOGIN));
      expect(locked.registry.tagHistory.map(({ tag }) => tag)).toContain('latest');
    },
  );

  it('a token of the registry that lapses before each manifest, and amid the blobs, is renewed', async () => {
    let now = Date.now();
    const auth = { kind: 'bearer', ...LOGIN, tokenTtlSeconds: 60, now: () => new Date(now) } as const;
    const { registry, push } = await job({ auth });
    const written = new Set<string>();
    registry.onRequest = ({ method, path }) => {
      // Blobs are sent side by side: once among them, or the token that one of them renews lapses for the next.
      const what = path.includes('/manifests/') ? path : 'blobs';
      if (method === 'PUT' && !written.has(what)) {
        now += 61_000;
        written.add(what);
      }
      return undefined;
    };
    requireSuccess(await push(LOGIN));
    const tokens = registry.requests.filter(({ path }) => path.startsWith('/token'));
    expect(tokens.length).toBeGreaterThan(5);
    expect(registry.tags('acme/web').has('latest')).toBe(true);
  });
});

describe('the build tag', () => {
  it('that names something else already is not overwritten → TAG_TAKEN', async () => {
    const { registry, push } = await job();
    requireSuccess(await push());
    const buildTag = registry.tagHistory.find(({ tag }) => tag.startsWith('b-'))?.tag ?? '';
    const other = await job();
    await putForeignManifest(other.registry, buildTag);
    const before = [...other.registry.tagHistory];
    const run = await other.push();
    expectMessage(run, { code: 'TAG_TAKEN', says: ['web failed', buildTag] });
    expect(other.registry.tagHistory).toEqual(before);
  });
});

/** An empty image under `tag`, as somebody with write access could put it there. */
async function putForeignManifest({ host }: TestRegistry, tag: string): Promise<void> {
  const manifest = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };
  const response = await fetch(`http://${host}/v2/acme/web/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType },
    body: JSON.stringify(manifest),
  });
  expect(response.status).toBe(201);
}
