import { type RegistryOptions, startRegistry } from '@gitless/testkit';
import type { RegistryUnderTest, RunningRegistry } from '../registry-suite/registry.ts';
import { defineRegistrySuite } from '../registry-suite/suite.ts';

const LOGIN = { username: 'robot', password: 'opensesame' };
const credentials = { kind: 'basic', ...LOGIN } as const;
const TAGS_PER_PAGE = 100;

async function start(options: RegistryOptions, more: Partial<RunningRegistry> = {}): Promise<RunningRegistry> {
  const { host, close } = await startRegistry({ ...options, tagsPerPage: TAGS_PER_PAGE });
  return { host, close, referrers: options.referrers ?? true, ...more };
}

async function startWithTokens(): Promise<RunningRegistry> {
  const withdrawn = new Set<string>();
  let now = new Date();
  const allow = (_user: string, repository: string) => !withdrawn.has(repository);
  return start(
    { referrers: false, auth: { kind: 'bearer', ...LOGIN, allow, now: () => now } },
    {
      credentials,
      tokens: {
        withdraw: (repository) => withdrawn.add(repository),
        async expireAfter(use) {
          await use();
          now = new Date(now.getTime() + 3_600_000);
        },
      },
    },
  );
}

const embedded = { kind: 'embedded', tagsPerPage: TAGS_PER_PAGE } as const;

const REGISTRIES: readonly RegistryUnderTest[] = [
  { ...embedded, name: 'embedded, with the referrers API', access: 'open', start: () => start({}) },
  { ...embedded, name: 'embedded, without it', access: 'open', start: () => start({ referrers: false }) },
  {
    ...embedded,
    name: 'embedded, with Basic logins',
    access: 'basic',
    start: () => start({ auth: { kind: 'basic', ...LOGIN } }, { credentials }),
  },
  { ...embedded, name: 'embedded, with tokens', access: 'token', start: startWithTokens },
];

for (const registry of REGISTRIES) {
  defineRegistrySuite(registry);
}
