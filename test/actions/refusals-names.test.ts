import { describe } from 'vitest';
import { type Refusal, refusingSteps } from './refusal.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const WEB = { from: `web=${DIGEST}`, version: 'v1.0.0' } as const;

const { refuses } = refusingSteps();

describe('tags and digests', () => {
  const tag = (name: string, why: string): Refusal => ({
    when: `tags: ${name}`,
    action: 'push',
    inputs: { tags: name },
    code: 'TAG_REFUSED',
    says: [`${name}: is`, why],
  });
  const channel = (name: string, why: string): Refusal => ({
    when: `channel: ${name}`,
    action: 'promote',
    inputs: { ...WEB, channel: name },
    code: 'TAG_REFUSED',
    says: [`promote may not write the channel "${name}"`, why],
  });
  refuses([
    tag('v1.2.3', 'is a version'),
    tag('1.2.3-rc.1', 'is a version'),
    tag('stable', 'a channel that promote owns'),
    tag('b-0123456789ab-1', 'reserved for build tags'),
    tag(`sha256-${'a'.repeat(64)}`, 'reserved for referrers'),
    tag('-x', 'is not a tag'),
    {
      ...tag('stable', 'stable'),
      when: 'several at once',
      inputs: { tags: 'latest, v1.0.0, stable' },
      says: ['v1.0.0: is', 'stable: is'],
    },
    channel('latest', 'a channel that push owns'),
    channel('v1.2.3', 'is a version, not a channel'),
    channel('b-0123456789ab-1', 'reserved for build tags'),
    channel('sha256-abc', 'reserved for referrers'),
    {
      when: 'a version that is none',
      action: 'promote',
      inputs: { ...WEB, version: 'release-1' },
      code: 'BAD_VERSION',
      says: ['"release-1" is not a version', 'v1.2.3'],
    },
    {
      when: 'a version with build metadata, which no tag can hold',
      action: 'promote',
      inputs: { ...WEB, version: 'v1.0.0+5' },
      code: 'BAD_VERSION',
      says: ['"v1.0.0+5" is not a version', 'without build metadata'],
    },
    {
      when: 'a tag where a digest is due',
      action: 'promote',
      inputs: { ...WEB, from: 'web=latest' },
      code: 'TAG_NOT_DIGEST',
      says: ['"latest" for web, where a digest is due', 'dry-run: true'],
    },
    {
      when: 'a digest cut short',
      action: 'promote',
      inputs: { ...WEB, from: 'web=sha256:abc' },
      code: 'BAD_DIGEST',
      says: ['"sha256:abc"', '64 lower-case hex digits'],
    },
    {
      when: 'one component twice',
      action: 'promote',
      inputs: { ...WEB, from: `web=${DIGEST}, web=${DIGEST}` },
      code: 'BAD_INPUTS',
      says: ['from names web twice'],
    },
    {
      when: 'two digests without names',
      action: 'promote',
      inputs: { ...WEB, from: `${DIGEST}, ${DIGEST}`, components: 'web' },
      code: 'BAD_INPUTS',
      says: ['which component each digest is', 'component=sha256:'],
    },
    {
      when: 'another registry as target',
      action: 'promote',
      inputs: { ...WEB, 'to-registry': 'production.example.test/acme' },
      code: 'REGISTRIES_DIFFER',
      says: ['to production.example.test', 'mirror'],
    },
  ]);
});

describe('components', () => {
  const config = 'schema: 1\ncomponents:\n  - {name: web, path: deploy}\n  - {name: api, path: deploy}\n';
  const unknown = (action: Refusal['action'], rest: Partial<Refusal> = {}): Refusal => ({
    when: 'a component that is not there',
    action,
    inputs: { components: 'wbe' },
    code: 'COMPONENT_UNKNOWN',
    says: ['no such component: wbe', 'did you mean web'],
    ...rest,
  });
  refuses([
    unknown('render', { files: { 'gitless.yaml': config } }),
    unknown('package', { inputs: { components: 'wbe', unrendered: 'true' }, files: { 'gitless.yaml': config } }),
    unknown('sign'),
    unknown('push'),
    unknown('promote', { inputs: { ...WEB, components: 'wbe' } }),
    unknown('promote', {
      when: 'a component that gitless.yaml does not list',
      inputs: { ...WEB, from: `wbe=${DIGEST}` },
      files: { 'gitless.yaml': config },
    }),
    {
      when: 'a name that cannot be a path',
      action: 'promote',
      inputs: { ...WEB, from: `../web=${DIGEST}` },
      code: 'BAD_NAME',
      says: ['component name "../web" cannot be used', 'lower-case letters and digits'],
    },
    {
      when: 'a name that cannot be a path',
      action: 'package',
      inputs: { name: 'Web', path: 'deploy' },
      code: 'BAD_NAME',
      says: ['component name "Web" cannot be used'],
    },
    ...(['render', 'package'] as const).map((action) => ({
      when: 'neither gitless.yaml nor name and path',
      action,
      inputs: action === 'package' ? { unrendered: 'true' } : {},
      code: 'COMPONENT_MISSING',
      says: ['no component to work on', 'give name and path, or list components in gitless.yaml'],
    })),
    ...(['render', 'package'] as const).map((action) => ({
      when: 'name and path beside a gitless.yaml that lists components',
      action,
      inputs: { name: 'web', path: 'deploy' },
      files: { 'gitless.yaml': config },
      code: 'COMPONENT_TWICE',
      says: ['gitless.yaml lists components too', 'filter with `components`'],
    })),
    {
      when: 'two components of one name',
      action: 'render',
      files: { 'gitless.yaml': config.replace('api', 'web') },
      code: 'COMPONENT_TWICE',
      says: ['two components are called web'],
    },
    {
      when: 'a pattern that matches nothing',
      action: 'render',
      files: { 'gitless.yaml': 'schema: 1\ncomponents:\n  - {pattern: "apps/*"}\n' },
      code: 'COMPONENT_MISSING',
      says: ['"apps/*"', 'matches no folder'],
    },
  ]);
});

describe('a wrong gitless.yaml, with line and column', () => {
  const wrong = (when: string, text: string, ...says: (string | RegExp)[]): Refusal[] =>
    (['render', 'sign', 'push', 'promote'] as const).map((action) => ({
      when,
      action,
      inputs: action === 'promote' ? WEB : {},
      files: { 'gitless.yaml': text },
      code: 'BAD_CONFIG',
      says: ['gitless.yaml has', 'docs/configuration.md', ...says],
    }));
  refuses([
    ...wrong(
      'a misspelt key',
      'schema: 1\nregistery: ghcr.io/acme\n',
      /line 2, column \d+: .*"registery"; did you mean registry\?/,
    ),
    ...wrong('broken YAML', 'schema: 1\ncomponents: [\n', /line \d+, column \d+: /),
    ...wrong(
      'several faults',
      'schema: 1\ncomponents:\n  - {name: Web, path: ../deploy}\n',
      /line 3, column 12: .*lower-case/,
      /line 3, column \d+: .*inside the repository/,
    ),
    ...wrong('a schema of the future', 'schema: 2\n', /line 1, column 9: /),
    {
      when: 'a configuration that is named but not there',
      action: 'render',
      inputs: { config: 'other.yaml' },
      code: 'BAD_CONFIG',
      says: ['other.yaml cannot be read', 'relative to the checkout'],
    },
  ]);
});
