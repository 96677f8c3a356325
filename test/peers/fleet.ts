import { conditionOf, type KubernetesObject } from './kubernetes-client.ts';
import type { Files } from './organisation.ts';
import type { FluxCluster } from './servers/flux.ts';
import { manifestsOf } from './servers/kubernetes.ts';
import { waitFor } from './servers/wait-for.ts';

export const SOURCE = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'OCIRepository' } as const;
const KUSTOMIZATION = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' } as const;
const OPERATOR = 'fluxcd.controlplane.io/v1';
/** Source and Kustomization that a FluxInstance makes. */
export const FLEET = { name: 'flux-system', namespace: 'flux-system' } as const;

interface Place {
  readonly name: string;
  readonly namespace: string;
}

/** Both controllers handle what is there now. */
export async function settle(
  cluster: FluxCluster,
  place: Place,
): Promise<{ source: KubernetesObject; kustomization: KubernetesObject }> {
  const source = await cluster.reconcile({ ...SOURCE, ...place });
  return { source, kustomization: await cluster.reconcile({ ...KUSTOMIZATION, ...place }) };
}

/** The same for the fleet, and for the ResourceSets in it, which make the sources and Kustomizations of the tenants. */
export async function settleFleet(cluster: FluxCluster) {
  const settled = await settle(cluster, FLEET);
  for (const name of ['tenants', 'infra', 'apps']) {
    await cluster.reconcile({ apiVersion: OPERATOR, kind: 'ResourceSet', name, namespace: FLEET.namespace });
  }
  return settled;
}

/** What a reader does once by hand; then it waits until the whole fleet is applied. */
export async function applyFluxInstance(cluster: FluxCluster, yaml: string): Promise<void> {
  const { client } = cluster;
  for (const manifest of manifestsOf(yaml)) {
    await client.apply(manifest);
  }
  const last = { apiVersion: OPERATOR, kind: 'ResourceSet', name: 'apps', namespace: FLEET.namespace };
  await waitFor(
    'the fleet is applied',
    async () => (conditionOf(await client.get(last), 'Ready').startsWith('True') ? true : undefined),
    async () => {
      const kinds = [SOURCE, KUSTOMIZATION].map(({ apiVersion, kind }) => client.list(apiVersion, kind));
      const operated = ['FluxInstance', 'ResourceSet'].map((kind) => client.list(OPERATOR, kind));
      const objects = (await Promise.all([...kinds, ...operated])).flat();
      return objects.map(({ kind, metadata: { name }, status }) => [kind, name, status?.conditions]);
    },
  );
}

/** The apps example with another log level in each environment: what a developer merges. */
export function merged(files: Files, levels: Readonly<Record<string, string>>): Files {
  const changed = Object.entries(levels).map(([environment, level]) => {
    const path = `apps/settings/${environment}/settings.yaml`;
    const before = files[path] ?? '';
    return [path, before.replace(/LOG_LEVEL: \w+/, `LOG_LEVEL: ${level}`)];
  });
  return { ...files, ...Object.fromEntries(changed) };
}

/** The fleet example with the component `settings` pinned to a digest in production. */
export function pinned(files: Files, digest: string): Files {
  const path = 'fleet/tenants/apps.yaml';
  const before = files[path] ?? '';
  const after = before.replace(/\{ ?component: settings,.*\}/, (input) =>
    input.replace('}', `, digest: {production: "${digest}"}}`),
  );
  if (after === before) {
    throw new Error(`${path} does not name settings on one line`);
  }
  return { ...files, [path]: after };
}
