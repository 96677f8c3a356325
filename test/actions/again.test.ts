import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RegistryOptions, startRegistry, type TestRegistry } from '@gitless/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { referrersOf } from './raw.ts';
import { deployment, PROMOTE_WORKFLOW, promote, SIGNATURE } from './steps.ts';
import { requireSuccess, startWorld, type World } from './support.ts';

const USER = { username: 'robot', password: 'secret-of-the-robot' };

const REGISTRIES: readonly (readonly [string, RegistryOptions, Record<string, string>])[] = [
  ['with the referrers API', {}, {}],
  ['with Basic', { auth: { kind: 'basic', ...USER } }, USER],
  ['with Bearer tokens and without the referrers API', { referrers: false, auth: { kind: 'bearer', ...USER } }, USER],
  ['with tags that are written once', { immutableTags: (tag) => /^(?:b-|v\d)/.test(tag) }, {}],
];

let world: World;
let digest = '';
beforeAll(async () => {
  world = await startWorld({ files: { 'deploy/web.yaml': deployment('web') } });
});
afterAll(() => world.close());

describe('each step again, in the same job', () => {
  const layoutIndex = () => readFile(join(world.temp, 'gitless', 'layout', 'index.json'), 'utf8');
  const logEntries = () => world.sigstore.requests.filter(({ path }) => path.endsWith('/log/entries')).length;

  it('render and package give the same bytes', async () => {
    const inputs = { name: 'web', path: 'deploy', engine: 'plain' };
    const [first, second] = [await world.run('render', inputs), await world.run('render', inputs)];
    expect(requireSuccess(second).outputs).toEqual(requireSuccess(first).outputs);
    digest = requireSuccess(await world.run('package')).outputs['digest'] ?? '';
    const index = await layoutIndex();
    expect(requireSuccess(await world.run('package')).outputs['digest']).toBe(digest);
    expect(await layoutIndex()).toBe(index);
  });

  it('sign adds nothing', async () => {
    const first = requireSuccess(await world.run('sign'));
    const [index, entries] = [await layoutIndex(), logEntries()];
    expect(entries).toBe(4);
    const second = requireSuccess(await world.run('sign'));
    expect(second.outputs).toEqual(first.outputs);
    expect(await layoutIndex()).toBe(index);
    expect(logEntries()).toBe(entries);
  });

  describe.each(REGISTRIES)('on a registry %s', (_what, options, login) => {
    let registry: TestRegistry;
    let inputs: Record<string, string>;
    beforeAll(async () => {
      registry = await startRegistry(options);
      inputs = { registry: `${registry.host}/acme`, ...login };
    });
    afterAll(() => registry.close());

    /** Requests that write, in what was logged since `from`. */
    function writes(from: number): string[] {
      return registry.requests
        .slice(from)
        .filter(({ method }) => !['GET', 'HEAD'].includes(method))
        .map(({ method, path }) => `${method} ${path}`);
    }

    it('push writes nothing new', async () => {
      const first = requireSuccess(await world.run('push', inputs));
      expect(writes(0).length).toBeGreaterThan(10);
      const from = registry.requests.length;
      const second = requireSuccess(await world.run('push', inputs));
      expect(writes(from)).toEqual([]);
      expect(second.outputs).toEqual(first.outputs);
      expect(referrersOf(registry, 'acme/web', digest)).toHaveLength(4);
    });

    it('promote reports that nothing changes', async () => {
      const promotion = { ...inputs, from: digest, components: 'web', version: 'v1.0.0' };
      expect(requireSuccess(await promote(world, promotion)).outputs['promoted']).toBe('true');
      const from = registry.requests.length;
      const second = requireSuccess(await promote(world, promotion));
      expect(second.summary).toContain('| unchanged |');
      expect(second.outputs).toMatchObject({ digest, promoted: 'false', 'previous-digest': digest });
      expect(writes(from)).toEqual([]);
      expect(referrersOf(registry, 'acme/web', digest)).toHaveLength(6);
      expect(registry.tags('acme/web').get('stable')).toBe(digest);
    });
  });

  it('promote signs again what the registry has lost since, though the channel is right', async () => {
    const promotion = { from: digest, components: 'web', version: 'v1.0.0' };
    requireSuccess(await world.run('push'));
    requireSuccess(await promote(world, promotion));
    const own = () =>
      referrersOf(world.registry, 'acme/web', digest).filter(
        ({ predicateType, signer }) => predicateType === SIGNATURE && signer.endsWith(PROMOTE_WORKFLOW),
      );
    const [lost] = own();
    await fetch(`http://${world.registry.host}/v2/acme/web/manifests/${lost?.digest}`, { method: 'DELETE' });
    expect(own()).toEqual([]);
    requireSuccess(await promote(world, promotion));
    expect(own()).toHaveLength(1);
  });
});
