import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ActionRun, createWorkspace, type StoredManifest, type Workspace } from '@gitless/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectReferrer, SHIPPER } from './artifact-expectations.ts';
import { at, digestOf, json, listAt, referrersOf, storedManifest, textAt } from './raw.ts';
import { deployment, PROMOTE_WORKFLOW, PROMOTION, promote, SIGNATURE, ship } from './steps.ts';
import { requireSuccess, startWorld, type World } from './support.ts';

const RENDER = { render: { name: 'web', path: 'deploy', engine: 'plain' } };
const PROMOTER = `https://github.com/${PROMOTE_WORKFLOW}`;

let world: World;
let next: Workspace;
/** Three candidates of one component; the second one has another content. */
let first: string;
let second: string;
let third: string;

beforeAll(async () => {
  world = await startWorld({
    files: { 'deploy/web.yaml': deployment('web'), 'deploy/old.yaml': deployment('old') },
  });
  next = await createWorkspace({
    'deploy/web.yaml': deployment('web', 'registry.example.test/web:2.0.0'),
    'deploy/new.yaml': deployment('new'),
  });
  first = (await ship(world, RENDER)).outputs['digest'] ?? '';
  second = (await ship(world, RENDER, { workspace: next })).outputs['digest'] ?? '';
  third = (await ship(world, RENDER, { env: { GITHUB_RUN_ID: '3' } })).outputs['digest'] ?? '';
  expect(new Set([first, second, third]).size).toBe(3);
});
afterAll(() => Promise.all([world.close(), next.cleanup()]));

/** What anyone can do who may write to the registry: a manifest and its blobs from one repository to another, under a digest or a tag. */
async function copyByHand(from: string, to: string, manifest: StoredManifest, reference: string): Promise<void> {
  const base = `http://${world.registry.host}/v2/${to}`;
  const parsed = json(manifest.bytes);
  for (const descriptor of [at(parsed, 'config'), ...listAt(parsed, 'layers')]) {
    const mount = `${base}/blobs/uploads/?mount=${textAt(descriptor, 'digest')}&from=${from}`;
    expect((await fetch(mount, { method: 'POST' })).status).toBe(201);
  }
  const headers = { 'content-type': manifest.mediaType };
  const body = Buffer.from(manifest.bytes);
  expect((await fetch(`${base}/manifests/${reference}`, { method: 'PUT', headers, body })).status).toBe(201);
}

/** A production of its own for each test. */
let production = '';
let count = 0;
beforeEach(() => {
  count += 1;
  production = `production-${count}`;
});

function toProduction(from: string, version: string, inputs: Record<string, string> = {}): Promise<ActionRun> {
  const target = { 'to-registry': `${world.registry.host}/${production}` };
  return promote(world, { from: `web=${from}`, version, ...target, ...inputs });
}

function refused(run: ActionRun, code: string): void {
  expect(run.exitCode).toBe(1);
  expect(run.log).toContain(`[${code}]`);
  expect(run.outputs).toMatchObject({ promoted: 'false', digest: '' });
}

const stable = () => world.registry.tags(`${production}/web`).get('stable');

describe('promotion into a repository of its own', () => {
  it('copies manifest and verified statements byte for byte, adds its own, and leaves foreign ones behind by name', async () => {
    const { registry } = world;
    const foreign = await attachForeign();
    const before = referrersOf(registry, 'acme/web', first).filter(({ signer }) => signer === SHIPPER);
    const run = requireSuccess(await toProduction(first, 'v1.0.0'));
    const target = `${production}/web`;
    expect(Buffer.from(storedManifest(registry, target, first).bytes)).toEqual(
      Buffer.from(storedManifest(registry, 'acme/web', first).bytes),
    );
    const size = storedManifest(registry, target, first).bytes.length;
    const after = referrersOf(registry, target, first);
    for (const referrer of after) {
      expectReferrer(referrer, { component: 'web', digest: first, size });
    }
    expect(after.map(({ digest }) => digest)).toEqual(expect.arrayContaining(before.map(({ digest }) => digest)));
    const own = after.filter(({ signer }) => signer === PROMOTER);
    expect(own.map(({ predicateType }) => predicateType).sort()).toEqual([PROMOTION, SIGNATURE].sort());
    expect(after).toHaveLength(before.length + 2);
    const record = own.find(({ predicateType }) => predicateType === PROMOTION);
    expect(textAt(record?.statement, 'predicate', 'to', 'repository')).toBe(`${registry.host}/${target}`);
    expect(registry.manifests(target).map(({ digest }) => digest)).not.toContain(foreign);
    const result = json(await readFile(run.outputs['result'] ?? ''));
    const [cell] = listAt(result, 'cells');
    expect(listAt(cell, 'leftBehind').map((entry) => at(entry, 'digest'))).toEqual([foreign]);
    expect(run.summary).toContain(foreign);
    expect([...registry.tags(target)]).toEqual([
      ['v1.0.0', first],
      ['stable', first],
    ]);
    expect(registry.tags('acme/web').has('stable')).toBe(false);
  });

  /** A bundle by a workflow that nobody expects, as anyone who may write to the registry can attach. */
  async function attachForeign(): Promise<string> {
    const claims = world.issuer.claims;
    const evil = 'acme/shop/.github/workflows/evil.yml@refs/heads/main';
    world.issuer.claims = { ...claims, workflow_ref: evil, job_workflow_ref: evil };
    await ship(world, { ...RENDER, push: { registry: `${world.registry.host}/evil` } });
    world.issuer.claims = claims;
    const referrer = referrersOf(world.registry, 'evil/web', first).find(
      ({ predicateType }) => predicateType === SIGNATURE,
    );
    const manifest = storedManifest(world.registry, 'evil/web', referrer?.digest ?? '');
    await copyByHand('evil/web', 'acme/web', manifest, manifest.digest);
    return digestOf(manifest.bytes);
  }
});

describe('preview and gate', () => {
  it('resolves a tag without a token or a write, shows what changes, and hands a digest to the gated job', async () => {
    requireSuccess(await toProduction(first, 'v1.0.0'));
    const from = world.registry.requests.length;
    const issued = world.issuer.issuedTokens.length;
    const tag = [...world.registry.tags('acme/web')].find(
      ([name, digest]) => name !== 'latest' && digest === second,
    )?.[0];
    const preview = requireSuccess(await toProduction(tag ?? '', 'v1.1.0', { 'dry-run': 'true' }));
    const written = world.registry.requests.slice(from).filter(({ method }) => !['GET', 'HEAD'].includes(method));
    expect(written).toEqual([]);
    expect(world.issuer.issuedTokens).toHaveLength(issued);
    expect(preview.outputs).toMatchObject({ digest: second, promoted: 'false', 'previous-digest': first });
    expect(preview.summary).toContain('added (1)');
    expect(preview.summary).toContain('web/default/deployment-new.yaml');
    expect(preview.summary).toContain('removed (1)');
    expect(preview.summary).toContain('web/default/deployment-old.yaml');
    expect(preview.summary).toContain('changed (1)');
    expect(preview.summary).toContain('web/default/deployment-web.yaml');
    expect(stable()).toBe(first);

    const gated = {
      from: preview.outputs['digests'],
      version: 'v1.1.0',
      'to-registry': `${world.registry.host}/${production}`,
    };
    const promoted = requireSuccess(await promote(world, gated));
    expect(promoted.outputs).toMatchObject({ digest: second, promoted: 'true', 'previous-digest': first });
    expect(stable()).toBe(second);
    const record = referrersOf(world.registry, `${production}/web`, second).find(
      (found) => found.predicateType === PROMOTION,
    );
    expect(textAt(record?.statement, 'predicate', 'previousDigest')).toBe(first);
  });

  it('takes a tag in the preview only', async () => {
    const run = await toProduction('latest', 'v1.0.0');
    expect(run.exitCode).toBe(1);
    expect(run.log).toContain('[TAG_NOT_DIGEST]');
    expect(stable()).toBeUndefined();
  });

  it('compares the environment with the token', async () => {
    const claims = world.issuer.claims;
    const wrong = await toProduction(first, 'v1.0.0', { environment: 'production' });
    expect(wrong.log).toContain('[ENVIRONMENT_MISMATCH]');
    world.issuer.claims = { ...claims, environment: 'production' };
    requireSuccess(await toProduction(first, 'v1.0.0', { environment: 'production' }));
    world.issuer.claims = claims;
    const record = referrersOf(world.registry, `${production}/web`, first).find(
      (found) => found.predicateType === PROMOTION,
    );
    expect(textAt(record?.statement, 'predicate', 'promotedBy', 'environment')).toBe('production');
  });
});

describe('versions and channels', () => {
  it('go forwards only: a lower version and an equal one of another digest are refused', async () => {
    requireSuccess(await toProduction(second, 'v1.1.0'));
    const before = world.registry.tagHistory.length;
    refused(await toProduction(first, 'v1.0.9'), 'VERSION_LOWER');
    refused(await toProduction(first, 'v1.1.0-rc.1'), 'VERSION_LOWER');
    refused(await toProduction(first, 'v1.1.0'), 'VERSION_TAKEN');
    refused(await toProduction(first, '1.1.0'), 'VERSION_TAKEN');
    expect(world.registry.tagHistory).toHaveLength(before);
    requireSuccess(await toProduction(third, 'v1.1.1'));
    expect(stable()).toBe(third);
  });

  it('count for each channel by itself', async () => {
    requireSuccess(await toProduction(second, 'v2.0.0'));
    const config = 'schema: 1\nchannels: {stable: {by: promote}, ring1: {by: promote}}\n';
    await writeFile(join(world.workspace.dir, 'channels.yaml'), config);
    requireSuccess(await toProduction(first, 'v1.0.0', { channel: 'ring1', config: 'channels.yaml' }));
    expect(world.registry.tags(`${production}/web`).get('ring1')).toBe(first);
    expect(stable()).toBe(second);
  });

  it('need expected-current where nothing verified tells the version of what is there', async () => {
    const target = `${production}/web`;
    requireSuccess(await toProduction(first, 'v1.0.0'));
    // Somebody moves the channel by hand.
    await copyByHand('acme/web', target, storedManifest(world.registry, 'acme/web', third), 'stable');
    expect(stable()).toBe(third);
    refused(await toProduction(second, 'v1.1.0'), 'CHANNEL_UNPROVEN');
    refused(await toProduction(second, 'v1.1.0', { 'expected-current': first }), 'CHANNEL_CHANGED');
    expect(stable()).toBe(third);
    requireSuccess(await toProduction(second, 'v1.1.0', { 'expected-current': third }));
    expect(stable()).toBe(second);
  });
});
