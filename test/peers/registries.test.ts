import { afterAll } from 'vitest';
import type { RegistryUnderTest, RunningRegistry } from '../registry-suite/registry.ts';
import { defineRegistrySuite } from '../registry-suite/suite.ts';
import { createState, type ServerState } from './servers/process.ts';
import { LOGIN, type RegistryAccess, startDistribution, startReferrersRegistry } from './servers/registry.ts';

const TAGS_PER_PAGE = 100;
const credentials = { kind: 'basic', ...LOGIN } as const;
let state: Promise<ServerState> | undefined;

/** One folder for all. */
function sharedState(): Promise<ServerState> {
  state ??= createState('registries');
  return state;
}

// biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
afterAll(async ({}, suite) => {
  await (await state)?.close(suite);
});

async function start(access: RegistryAccess): Promise<RunningRegistry> {
  const {
    host,
    tokens,
    stop: close,
  } = await startDistribution(await sharedState(), access, { tagsPerPage: TAGS_PER_PAGE });
  return {
    host,
    close,
    referrers: false,
    ...(access === 'open' ? {} : { credentials }),
    ...(tokens === undefined ? {} : { tokens }),
  };
}

const distribution = { kind: 'distribution', tagsPerPage: TAGS_PER_PAGE } as const;

const REGISTRIES: readonly RegistryUnderTest[] = [
  { ...distribution, name: 'distribution v3', access: 'open', start: () => start('open') },
  { ...distribution, name: 'distribution v3 with htpasswd', access: 'basic', start: () => start('htpasswd') },
  { ...distribution, name: 'distribution v3 with tokens', access: 'token', start: () => start('token') },
  {
    kind: 'go-containerregistry',
    name: 'go-containerregistry, with the referrers API',
    access: 'open',
    tagsPerPage: undefined,
    start: async () => {
      const { host, stop: close } = await startReferrersRegistry(await sharedState());
      return { host, close, referrers: true };
    },
  },
];

for (const registry of REGISTRIES) {
  defineRegistrySuite(registry);
}
