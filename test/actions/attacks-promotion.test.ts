import { gzipSync } from 'node:zlib';
import { type ActionRun, createWorkspace, type Workspace } from '@gitless/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { referrersOf, textAt } from './raw.ts';
import { mirrorByHand, putBlobByHand, putByHand } from './registry-writer.ts';
import { deployment, PROMOTION, promote, ship } from './steps.ts';
import { requireSuccess, startWorld, type World } from './support.ts';

const RENDER = { render: { name: 'web', path: 'deploy', engine: 'plain' } };
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const CONTENT = 'application/vnd.cncf.flux.content.v1.tar+gzip';

let world: World;
let next: Workspace;
let first: string;
let second: string;

beforeAll(async () => {
  world = await startWorld({ files: { 'deploy/web.yaml': deployment('web') } });
  next = await createWorkspace({ 'deploy/web.yaml': deployment('web', 'registry.example.test/web:2.0.0') });
  first = (await ship(world, RENDER)).outputs['digest'] ?? '';
  second = (await ship(world, RENDER, { workspace: next })).outputs['digest'] ?? '';
});
afterAll(() => Promise.all([world.close(), next.cleanup()]));

let eu = '';
let us = '';
let count = 0;
beforeEach(() => {
  count += 1;
  eu = `eu-${count}`;
  us = `us-${count}`;
});

function into(production: string, from: string, version: string, more: Record<string, string> = {}) {
  const target = { 'to-registry': `${world.registry.host}/${production}` };
  return promote(world, { from: `web=${from}`, version, ...target, ...more });
}

function refused(run: ActionRun, code: string): void {
  expect(run.exitCode, run.log).toBe(1);
  expect(run.log).toContain(`[${code}]`);
}

describe('a promotion statement about another place', () => {
  it('does not make a mirrored production look promoted', async () => {
    requireSuccess(await into(eu, first, 'v2.0.0'));
    await mirrorByHand(world.registry, `${eu}/web`, `${us}/web`);
    refused(await into(us, first, 'v2.0.0'), 'VERSION_UNPROVEN');
    refused(await into(us, second, 'v1.0.0'), 'CHANNEL_UNPROVEN');
    refused(await into(us, second, 'v3.0.0'), 'CHANNEL_UNPROVEN');
  });

  it('is no record of the promotion from there', async () => {
    requireSuccess(await into(eu, first, 'v2.0.0'));
    requireSuccess(await into(us, first, 'v2.0.0', { registry: `${world.registry.host}/${eu}` }));
    const places = referrersOf(world.registry, `${us}/web`, first)
      .filter(({ predicateType }) => predicateType === PROMOTION)
      .map(({ statement }) => textAt(statement, 'predicate', 'to', 'repository'));
    expect(places).toContain(`${world.registry.host}/${us}/web`);
    expect(world.registry.tags(`${us}/web`).get('stable')).toBe(first);
  });
});

describe('what somebody else put under the channel', () => {
  const before = () => world.registry.tags(`${eu}/web`).get('stable');

  async function replaced(digest: string): Promise<void> {
    requireSuccess(await into(eu, second, 'v1.1.0', { 'expected-current': digest }));
    expect(before()).toBe(second);
  }

  it('is an index: who names its digest can replace it', async () => {
    requireSuccess(await into(eu, first, 'v1.0.0'));
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] }));
    const digest = await putByHand(world.registry, `${eu}/web`, { mediaType: INDEX, bytes }, 'stable');
    refused(await into(eu, second, 'v1.1.0'), 'CHANNEL_UNPROVEN');
    await replaced(digest);
  });

  it.each([
    ['no archive', gzipSync('no archive')],
    ['no gzip', Buffer.from('no gzip')],
  ])('has a content layer that is %s: who names its digest can replace it', async (_what, content) => {
    requireSuccess(await into(eu, first, 'v1.0.0'));
    const repository = `${eu}/web`;
    const layer = await putBlobByHand(world.registry, repository, CONTENT, content);
    const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: layer, layers: [layer] };
    const bytes = Buffer.from(JSON.stringify(manifest));
    await replaced(await putByHand(world.registry, repository, { mediaType: MANIFEST, bytes }, 'stable'));
  });
});

describe('the checkout of another commit', () => {
  it('gives no policy to a run on the default branch', async () => {
    const config = `schema: 1\nidentity: {issuer: "${world.issuer.url}", subject: "https://github.com/evil/x/.github/workflows/a.yml@refs/heads/main"}\n`;
    const evil = await createWorkspace({ 'gitless.yaml': config });
    const run = await into(eu, first, 'v1.0.0', {}).then(() =>
      promote(
        world,
        { from: `web=${second}`, version: 'v1.1.0', 'to-registry': `${world.registry.host}/${eu}` },
        { workspace: { dir: evil.dir, sha: world.workspace.sha } },
      ),
    );
    refused(run, 'CHECKOUT_MISMATCH');
    await evil.cleanup();
  });
});
