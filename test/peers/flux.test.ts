import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuildSite, example, startBuildSite, trustedRootSecret } from './build-site.ts';
import { applyFluxInstance, FLEET, merged, pinned, SOURCE, settle, settleFleet } from './fleet.ts';
import { conditionOf, type KubernetesClient, type KubernetesObject } from './kubernetes-client.ts';
import type { Files, Released, Shipped } from './organisation.ts';
import { registryRepository } from './registry-http.ts';
import { type FluxCluster, startFlux } from './servers/flux.ts';
import { waitFor } from './servers/wait-for.ts';

const APPS = [
  { name: 'web', namespace: 'web' },
  { name: 'settings', namespace: 'web' },
  { name: 'api', namespace: 'api' },
] as const;
const SETTINGS = { name: 'settings', namespace: 'web' } as const;
const CONFIGS = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  name: 'certificates-configs',
  namespace: 'certificates',
} as const;
const AUTHORITY = {
  apiVersion: 'certificates.acme.example/v1',
  kind: 'CertificateAuthority',
  name: 'workloads',
  namespace: 'certificates',
} as const;
const CONTROLLER = 'certificates/certificate-controller';

let site: BuildSite;
let staging: FluxCluster;
let production: FluxCluster;
let fleet: Files;
/** What was shipped and promoted first. */
let shippedFleet: Shipped;
let promotedFleet: Released;
let shipped: Shipped;
let promoted: Released;

async function logLevel({ client }: FluxCluster): Promise<unknown> {
  const settings = { apiVersion: 'v1', kind: 'ConfigMap', name: 'shop-settings', namespace: 'web' };
  return (await client.get(settings))?.data?.['LOG_LEVEL'];
}

async function replicas({ client }: FluxCluster, name: string): Promise<unknown> {
  return (await client.get({ apiVersion: 'apps/v1', kind: 'Deployment', name, namespace: name }))?.spec?.['replicas'];
}

function expectVerified(source: KubernetesObject | undefined, revision: string): void {
  expect(conditionOf(source, 'SourceVerified')).toBe(`True Succeeded: verified signature of revision ${revision}`);
  expect(source?.status?.artifact?.revision).toBe(revision);
}

async function expectRunning(cluster: FluxCluster, app: { name: string; namespace: string }, revision: string) {
  const { source, kustomization } = await settle(cluster, app);
  expectVerified(source, revision);
  expect(conditionOf(kustomization, 'Ready')).toMatch(/^True/);
  expect(kustomization.status?.lastAppliedRevision).toBe(revision);
}

beforeAll(async () => {
  [site, staging, production] = await Promise.all([
    startBuildSite('flux'),
    startFlux('staging'),
    startFlux('production'),
  ]);
  const { organisation } = site;
  fleet = await example('fleet');
  shippedFleet = await organisation.ship('fleet', fleet, { unrendered: true });
  const infra = await organisation.ship('infra', await example('infra'), { unrendered: true });
  shipped = await organisation.ship('apps', await example('apps'));
  promotedFleet = await organisation.promote('fleet', shippedFleet.digests, 'v1.0.0');
  await organisation.promote('infra', infra.digests, 'v1.0.0');
  await Promise.all(
    Object.entries({ staging, production }).map(async ([name, cluster]) => {
      cluster.heldBack.add(CONTROLLER);
      await cluster.client.apply(trustedRootSecret(shippedFleet.fluxTrustedRoot));
      await applyFluxInstance(cluster, organisation.localise(fleet[`fleet/clusters/${name}/flux-instance.yaml`] ?? ''));
    }),
  );
}, 300_000);
// biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
afterAll(async ({}, suite) => {
  await Promise.all([staging?.stop(suite), production?.stop(suite)]);
  await site?.stop(suite);
});

/** Whether the service account that Flux applies as in the namespace `web` may do this. */
async function tenantMay(client: KubernetesClient, verb: string, group: string, resource: string): Promise<boolean> {
  const { status } = await client.create({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: 'system:serviceaccount:web:flux',
      resourceAttributes: { namespace: 'web', verb, group, resource },
    },
  });
  return status?.['allowed'] === true;
}

describe('a cluster', () => {
  it('takes the fleet from a verified artifact, checked as the summaries print it', async () => {
    for (const [cluster, printed, tag] of [
      [staging, shippedFleet, 'latest'],
      [production, promotedFleet, 'stable'],
    ] as const) {
      const { source, kustomization } = await settleFleet(cluster);
      expect(source.spec?.['verify']).toEqual(printed.printed.get('fleet')?.verify);
      expectVerified(source, `${tag}@${shippedFleet.digests['fleet']}`);
      expect(conditionOf(kustomization, 'Ready')).toMatch(/^True/);
    }
  });

  it('applies what configures a controller only once the controller runs', async () => {
    await Promise.all(
      [staging, production].map(async (cluster) => {
        const [namespace = '', name = ''] = CONTROLLER.split('/');
        const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name, namespace };
        await waitFor('the controller is applied', () => cluster.client.get(deployment));
        const waiting = await cluster.reconcile(CONFIGS);
        expect(conditionOf(waiting, 'Ready')).toMatch(/^False DependencyNotReady/);
        expect(await cluster.client.list(AUTHORITY.apiVersion, AUTHORITY.kind)).toEqual([]);
        cluster.heldBack.delete(CONTROLLER);
        await waitFor('the configuration is applied', () => cluster.client.get(AUTHORITY));
      }),
    );
    expect((await staging.client.get(AUTHORITY))?.spec?.['maxDays']).toBe(90);
    expect((await production.client.get(AUTHORITY))?.spec?.['maxDays']).toBe(30);
  });

  it('admits no source that is not verified, and lets no tenant make one or replace the trusted root', async () => {
    for (const { client } of [staging, production]) {
      const unverified = {
        ...SOURCE,
        metadata: { name: 'unverified', namespace: 'web' },
        spec: { interval: '5m', url: `oci://${site.registry}/acme/settings` },
      };
      await expect(client.apply(unverified, { dryRun: true })).rejects.toThrow('spec.verify is missing');
      expect(await tenantMay(client, 'create', 'source.toolkit.fluxcd.io', 'ocirepositories')).toBe(false);
      expect(await tenantMay(client, 'patch', '', 'secrets')).toBe(false);
      expect(await tenantMay(client, 'patch', 'apps', 'deployments')).toBe(true);
    }
  });

  it('has one source for each component, an OCI repository, and none in Git', async () => {
    for (const { client } of [staging, production]) {
      const names = (await client.list(SOURCE.apiVersion, SOURCE.kind)).map(({ metadata: { name } }) => name);
      expect(names.sort()).toEqual(['api', 'certificates', 'flux-system', 'settings', 'web']);
      for (const kind of ['GitRepository', 'Bucket', 'HelmRepository', 'HelmChart', 'ExternalArtifact']) {
        expect(await client.list(SOURCE.apiVersion, kind)).toEqual([]);
      }
    }
  });
});

describe('a merge', () => {
  it('reaches staging, verified as the summary of push prints it', async () => {
    for (const app of APPS) {
      await expectRunning(staging, app, `latest@${shipped.digests[app.name]}`);
      const source = await staging.client.get({ ...SOURCE, ...app });
      expect(source?.spec?.['verify']).toEqual(shipped.printed.get(app.name)?.verify);
    }
    expect(await replicas(staging, 'web')).toBe(1);
    expect(await replicas(staging, 'api')).toBe(2);
    expect(await logLevel(staging)).toBe('debug');
  });

  it('shows its commit and its run on the cluster', async () => {
    const metadata = (await staging.client.get({ ...SOURCE, ...SETTINGS }))?.status?.artifact?.metadata;
    expect(metadata).toMatchObject({
      'org.opencontainers.image.source': 'https://github.com/acme/apps',
      'org.opencontainers.image.revision': expect.stringMatching(/^main@sha1:[0-9a-f]{40}$/),
      'dev.gitless.component': 'settings',
    });
  });

  it('fills in what only the cluster knows', async () => {
    const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'web', namespace: 'web' };
    const found = await staging.client.get(ingress);
    expect(found?.spec).toMatchObject({ rules: [{ host: 'shop.staging.acme.example' }] });
  });

  it('does not reach production', async () => {
    for (const app of APPS) {
      const { source, kustomization } = await settle(production, app);
      expect(conditionOf(source, 'Ready')).toMatch(/^False/);
      expect(conditionOf(kustomization, 'Ready')).toMatch(/^False ArtifactFailed/);
    }
    expect(await logLevel(production)).toBeUndefined();
    expect(await replicas(production, 'web')).toBeUndefined();
  });
});

describe('a promotion', () => {
  beforeAll(async () => {
    promoted = await site.organisation.promote('apps', shipped.digests, 'v1.0.0');
  });

  it('brings the same digests to production, verified as the summary of promote prints it', async () => {
    expect(promoted.digests).toEqual(shipped.digests);
    for (const app of APPS) {
      await expectRunning(production, app, `stable@${shipped.digests[app.name]}`);
      const source = await production.client.get({ ...SOURCE, ...app });
      expect(source?.spec?.['verify']).toEqual(promoted.printed.get(app.name)?.verify);
    }
    expect(await replicas(production, 'web')).toBe(3);
    expect(await replicas(production, 'api')).toBe(4);
    expect(await logLevel(production)).toBe('info');
  });
});

describe('the events of a promotion', () => {
  it('name the digest and the commit', async () => {
    const applied = await waitFor('the event', async () =>
      production.events.find(
        ({ involvedObject: { kind, name }, reason }) =>
          kind === 'Kustomization' && name === SETTINGS.name && reason === 'ReconciliationSucceeded',
      ),
    );
    expect(applied.metadata).toMatchObject({
      'kustomize.toolkit.fluxcd.io/revision': `stable@${shipped.digests['settings']}`,
      'kustomize.toolkit.fluxcd.io/originRevision': expect.stringMatching(/^main@sha1:/),
    });
  });
});

describe('the next merge', () => {
  let next: Shipped;
  beforeAll(async () => {
    next = await site.organisation.ship(
      'apps',
      merged(await example('apps'), { staging: 'trace', production: 'warn' }),
    );
  });

  it('reaches staging only', async () => {
    for (const app of APPS) {
      await expectRunning(staging, app, `latest@${next.digests[app.name]}`);
      await expectRunning(production, app, `stable@${shipped.digests[app.name]}`);
    }
    expect(await logLevel(staging)).toBe('trace');
    expect(await logLevel(production)).toBe('info');
  });

  it('reaches production when it is promoted', async () => {
    await site.organisation.promote('apps', next.digests, 'v1.1.0');
    for (const app of APPS) {
      await expectRunning(production, app, `stable@${next.digests[app.name]}`);
    }
    expect(await logLevel(production)).toBe('warn');
  });

  // Flux knows no order of versions: who may move the channel decides. promote refuses this.
  it('is undone, as Flux does it by design, by whoever moves the channel to an older promoted digest', async () => {
    const stable = registryRepository(site.registry, 'acme/production/settings');
    await stable.moveTag('stable', shipped.digests['settings'] ?? '');
    await expectRunning(production, SETTINGS, `stable@${shipped.digests['settings']}`);
    expect(await logLevel(production)).toBe('info');
    await stable.moveTag('stable', next.digests['settings'] ?? '');
    await expectRunning(production, SETTINGS, `stable@${next.digests['settings']}`);
  });

  describe('pinned in the fleet', () => {
    beforeAll(async () => {
      const files = pinned(fleet, next.digests['settings'] ?? '');
      const { digests } = await site.organisation.ship('fleet', files, { unrendered: true });
      await site.organisation.promote('fleet', digests, 'v1.1.0');
      await settleFleet(production);
    });

    it('stays, whoever moves the channel', async () => {
      const source = await production.client.get({ ...SOURCE, ...SETTINGS });
      expect(source?.spec?.['ref']).toEqual({ digest: next.digests['settings'] });
      await registryRepository(site.registry, 'acme/production/settings').moveTag(
        'stable',
        shipped.digests['settings'] ?? '',
      );
      await expectRunning(production, SETTINGS, next.digests['settings'] ?? '');
      expect(await logLevel(production)).toBe('warn');
    });

    it('does not stay, as Flux does it by design, when the channel of the fleet itself is moved to an older signed artifact', async () => {
      const stable = registryRepository(site.registry, 'acme/production/fleet');
      await stable.moveTag('stable', promotedFleet.digests['fleet'] ?? '');
      const { source } = await settleFleet(production);
      expectVerified(source, `stable@${promotedFleet.digests['fleet']}`);
      await expectRunning(production, SETTINGS, `stable@${shipped.digests['settings']}`);
      expect(await logLevel(production)).toBe('info');
    });
  });
});

describe('an unsigned fleet artifact', () => {
  it('is refused, and the fleet stays as it is', async () => {
    const repository = registryRepository(site.registry, 'acme/fleet');
    const before = (await staging.client.get({ ...SOURCE, ...FLEET }))?.status?.artifact?.revision ?? '';
    await repository.pushUnsigned('latest', before.replace('latest@', ''));
    const { source, kustomization } = await settleFleet(staging);
    expect(conditionOf(source, 'SourceVerified')).toMatch(/^False VerificationError: .*: no signatures found/);
    expect(source.status?.artifact?.revision).toBe(before);
    expect(conditionOf(kustomization, 'Ready')).toMatch(/^True/);
    expect(kustomization.status?.lastAppliedRevision).toBe(before);
    for (const app of APPS) {
      expect(await staging.client.get({ ...SOURCE, ...app })).toBeDefined();
    }
    await waitFor('the refusal is reported', async () =>
      staging.events.find(
        ({ involvedObject, severity, reason }) =>
          involvedObject.name === FLEET.name && severity === 'error' && reason === 'VerificationError',
      ),
    );
  });
});
