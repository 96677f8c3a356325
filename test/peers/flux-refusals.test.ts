import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BuildSite, startBuildSite, trustedRootSecret } from './build-site.ts';
import { toolFile } from './build-tools.ts';
import { SOURCE, settle } from './fleet.ts';
import { requireAccepted, runPeer } from './job.ts';
import { conditionOf, referenceTo } from './kubernetes-client.ts';
import { AUDIENCE, type Files, type ShipOptions, type Shipped } from './organisation.ts';
import type { PrintedResources } from './printed-resources.ts';
import { type RegistryRepository, registryRepository } from './registry-http.ts';
import { type FluxCluster, startFlux } from './servers/flux.ts';
import { waitFor } from './servers/wait-for.ts';

const IDENTITY = 'https://github.com/acme/probes/.github/workflows/ship.yml@refs/heads/main';
const PROBE = { name: 'probe', namespace: 'flux-system' } as const;
// Begins as the right one does: only the pattern's end tells them apart.
const FEATURE = 'refs/heads/main-feature';

const configMap = (name: string, text: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: default\ndata:\n  text: ${text}\n`;

/** Two components of one repository, so that one workflow signs both. */
function probes(text: string): Files {
  return {
    'gitless.yaml': `schema: 1
registry: ghcr.io/acme
trust: {trusted-root: trust/trusted_root.json, signing-config: trust/signing_config.json}
components:
  - {name: probe, path: probe}
  - {name: lure, path: lure}
`,
    'probe/probe.yaml': configMap('probe', text),
    'lure/lure.yaml': configMap('lure', text),
  };
}

let site: BuildSite;
let cluster: FluxCluster;
let repository: RegistryRepository;
let shipped: Shipped;
let printed: PrintedResources;
let good: string;

beforeAll(async () => {
  [site, cluster] = await Promise.all([startBuildSite('flux-refusals'), startFlux('refusing')]);
  repository = registryRepository(site.registry, 'acme/probe');
  shipped = await site.organisation.ship('probes', probes('good'));
  good = shipped.digests['probe'] ?? '';
  const found = shipped.printed.get('probe');
  if (found === undefined) {
    throw new Error('the summary of push prints nothing for probe');
  }
  printed = found;
  // All that a reader of the summary does.
  await cluster.client.apply(trustedRootSecret(shipped.fluxTrustedRoot));
  await cluster.client.apply(printed.source);
  await cluster.client.apply(printed.kustomization);
  await expectGood();
}, 300_000);
// biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
afterAll(async ({}, suite) => {
  await cluster?.stop(suite);
  await site?.stop(suite);
});

async function text(name = 'probe'): Promise<unknown> {
  const object = await cluster.client.get({ apiVersion: 'v1', kind: 'ConfigMap', name, namespace: 'default' });
  return object?.data?.['text'];
}

async function expectGood(): Promise<void> {
  const { source, kustomization } = await settle(cluster, PROBE);
  const revision = `latest@${good}`;
  expect(conditionOf(source, 'SourceVerified')).toBe(`True Succeeded: verified signature of revision ${revision}`);
  expect(conditionOf(kustomization, 'Ready')).toMatch(/^True/);
  expect(kustomization.status?.lastAppliedRevision).toBe(revision);
  expect(await text()).toBe('good');
}

/** What `latest` points to is refused for this reason, and what ran still runs. */
async function expectRefused(reason: string | RegExp): Promise<void> {
  const attack = await repository.digest('latest');
  expect(attack).not.toBe(good);
  const { source, kustomization } = await settle(cluster, PROBE);
  const condition = conditionOf(source, 'SourceVerified');
  expect(condition).toMatch(/^False VerificationError: failed to verify the signature using provider 'cosign keyless'/);
  expect(condition).toMatch(reason);
  expect(source.status?.artifact?.revision).toBe(`latest@${good}`);
  expect(kustomization.status?.lastAppliedRevision).toBe(`latest@${good}`);
  expect(conditionOf(kustomization, 'Ready')).toMatch(/^True/);
  expect(await text()).toBe('good');
  await waitFor('the refusal is reported', async () =>
    cluster.events.find(
      ({ involvedObject: { kind, name }, severity, reason, message }) =>
        kind === SOURCE.kind &&
        name === PROBE.name &&
        severity === 'error' &&
        reason === 'VerificationError' &&
        condition.endsWith(message.replace(/^.*?: /, '')),
    ),
  );
}

/** A token for the workflow that the cluster accepts: what a thief of the repository's own job could have at most. */
async function mintToken(): Promise<string> {
  const { issuer } = site;
  issuer.claims = { repository: 'acme/probes', workflow_ref: IDENTITY.replace('https://github.com/', '') };
  const headers = { authorization: `Bearer ${issuer.requestToken}` };
  const response = await fetch(`${issuer.tokenRequestUrl}&audience=${AUDIENCE}`, { headers });
  return v.parse(v.object({ value: v.string() }), await response.json()).value;
}

/** Runs cosign as the right identity; `args` choose form and log. */
async function cosignSign(digest: string, args: readonly string[]): Promise<void> {
  const { state, sigstore, registry } = site;
  await writeFile(join(state.folder, 'signing-config.json'), sigstore.signingConfig);
  await writeFile(join(state.folder, 'root.json'), sigstore.trustedRoot);
  await writeFile(join(state.folder, 'token'), await mintToken());
  const common = ['sign', '--yes', '--trusted-root', 'root.json', '--identity-token', 'token'];
  const reference = `${registry}/acme/probe@${digest}`;
  requireAccepted(await runPeer(state, await toolFile('cosign', 'sigstore'), [...common, ...args, reference]));
}

/** Pushes a directory by the Flux library, as anybody can who may write to the registry. */
async function pushByHand(tag: string, files: Files): Promise<string> {
  const folder = join(site.state.folder, `by-hand-${tag}`);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  const args = ['push', '-path', folder, '-source', 'https://git.example/by/hand', '-revision', 'by@hand'];
  const url = `oci://${site.registry}/acme/probe:${tag}`;
  const pushed = requireAccepted(await runPeer(site.state, await toolFile('fluxoracle'), [...args, url]));
  return v.parse(v.object({ digest: v.string() }), JSON.parse(pushed)).digest;
}

function shipAs(options: ShipOptions): Promise<Shipped> {
  return site.organisation.ship('probes', probes('bad'), options);
}

describe('what a cluster refuses, and what ran still runs', () => {
  afterEach(async () => {
    await repository.moveTag('latest', good);
    await expectGood();
  });

  it('an artifact that nobody signed', async () => {
    await pushByHand('latest', { 'probe/default/probe.yaml': configMap('probe', 'bad') });
    await expectRefused('no signatures found');
  });

  it('one that another workflow of the same repository signed', async () => {
    await shipAs({ workflow: 'nightly.yml' });
    await expectRefused(
      /no matching CertificateIdentity found.*got "https:\/\/github\.com\/acme\/probes\/\.github\/workflows\/nightly\.yml@/,
    );
  });

  it('one that the right workflow signed on a feature branch', async () => {
    // Away from the default branch nothing counts that the checkout says: the workflow file names everything.
    const trust = { 'allow-refs': FEATURE, 'trusted-root': 'trust/trusted_root.json' };
    const sign = { ...trust, 'signing-config': 'trust/signing_config.json' };
    const who = { identity: IDENTITY.replace('refs/heads/main', FEATURE), issuer: site.issuer.url };
    const push = { ...trust, ...who, tags: 'feature', registry: `${site.registry}/acme` };
    const feature = await shipAs({ ref: FEATURE, sign, push });
    await repository.moveTag('latest', feature.digests['probe'] ?? '');
    await expectRefused(/no matching CertificateIdentity found.*got ".*ship\.yml@refs\/heads\/main-feature"/);
  });

  it('one that the right identity signed in the legacy form only', async () => {
    const digest = await pushByHand('latest', { 'probe/default/probe.yaml': configMap('probe', 'bad') });
    const { sigstore } = site;
    await cosignSign(digest, [
      '--new-bundle-format=false',
      '--use-signing-config=false',
      `--fulcio-url=${sigstore.fulcioUrl}`,
      `--rekor-url=${sigstore.rekorV1Url}`,
    ]);
    await expectRefused('rekor log public key not found for payload');
    // It is the pinned root that refuses: with a root that holds every log, Flux accepts this form.
    await cluster.client.apply(trustedRootSecret(sigstore.trustedRoot, 'every-log'));
    const verify = { ...printed.verify, trustedRootSecretRef: { name: 'every-log' } };
    const lax = {
      ...printed.source,
      metadata: { ...PROBE, name: 'lax' },
      spec: { ...asRecord(printed.source['spec']), verify },
    };
    await cluster.client.apply(lax);
    expect(conditionOf(await cluster.reconcile(referenceTo(lax)), 'SourceVerified')).toMatch(/^True/);
    await cluster.client.remove(referenceTo(lax));
  });

  it("another component's artifact with all its bundles, because its path is missing", async () => {
    const [from, to] = [`${site.registry}/acme/lure@${shipped.digests['lure']}`, `${site.registry}/acme/probe:latest`];
    const copy = ['cp', '-r', '--from-plain-http', '--to-plain-http', from, to];
    requireAccepted(await runPeer(site.state, await toolFile('oras'), copy));
    const { source, kustomization } = await settle(cluster, PROBE);
    // The signature is genuine: only the path inside tells the components apart.
    expect(conditionOf(source, 'SourceVerified')).toMatch(/^True/);
    expect(source.status?.artifact?.revision).toBe(`latest@${shipped.digests['lure']}`);
    expect(conditionOf(kustomization, 'Ready')).toMatch(/^False ArtifactFailed: .*path not found/);
    expect(kustomization.status?.lastAppliedRevision).toBe(`latest@${good}`);
    expect(await text()).toBe('good');
    expect(await text('lure')).toBeUndefined();
  });
});

describe('what a cluster applies by design', () => {
  let remote: Server;
  let remoteText = 'remote one';
  let url: string;
  beforeAll(async () => {
    remote = createServer((_request, response) => response.end(configMap('remote', remoteText)));
    await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve));
    const address = remote.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/remote.yaml`;
  });
  afterAll(() => new Promise((resolve) => remote?.close(resolve)));

  it('content that a signed kustomization fetches from elsewhere: new content under the same digest', async () => {
    const kustomization = `resources: [probe.yaml, "${url}"]\n`;
    const files = {
      'probe/default/probe.yaml': configMap('probe', 'good'),
      'probe/default/kustomization.yaml': kustomization,
    };
    const digest = await pushByHand('latest', files);
    await cosignSign(digest, ['--signing-config', 'signing-config.json']);
    for (const wanted of ['remote one', 'remote two']) {
      remoteText = wanted;
      const { source } = await settle(cluster, PROBE);
      expect(conditionOf(source, 'SourceVerified')).toMatch(/^True/);
      expect(source.status?.artifact?.revision).toBe(`latest@${digest}`);
      expect(await text('remote')).toBe(wanted);
    }
  });

  it('which is why package refuses it', async () => {
    const files = { ...probes('bad'), 'probe/kustomization.yaml': `resources: [probe.yaml, "${url}"]\n` };
    const run = await site.organisation.startJob('probes', files);
    const { exitCode, log } = await run('package', { unrendered: 'true' });
    expect(exitCode).not.toBe(0);
    expect(log).toContain(url);
  });
});

function asRecord(value: unknown): Record<string, unknown> {
  return v.parse(v.record(v.string(), v.unknown()), value);
}
