import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inNewJob } from '../actions/steps.ts';
import { requireSuccess, startWorld, type World } from '../actions/support.ts';
import { pathWith, toolFolder } from './build-tools.ts';
import { sourceDirectory } from './go.ts';
import { type Case, runPlain, shipAll } from './ship.ts';
import { changesIn, manifestsIn, readTree, streamsIn } from './support.ts';

const GITLESS_YAML = `schema: 1
tools: {helm: 4.2.4, kustomize: v5.8.1}
components:
  - {name: library, path: charts/chart-with-template-lib-dep, kube-version: 1.34.0, namespace: web}
  - {name: alpine, path: charts/alpine, kube-version: 1.34.0, values: [extra_values.yaml, more_values.yaml]}
  - {name: policies, path: charts/object-order}
  - {name: source-controller, path: flux/config/default}
  - {name: shop, path: charts/shop, environments: [staging, production], values: ["values-{environment}.yaml"]}
  - {name: cart, path: cart}
`;

/** What YAML libraries like to change: octal numbers, words that read as booleans, quotes, variables, blank lines. */
const DELICATE = `apiVersion: v1
kind: ConfigMap
metadata:
  name: delicate
data:
  single: '\${CLUSTER_NAME:=dev}'
  double: "\${DOMAIN}"
  bare: \${TIER}
  octal: "0644"
  word: "yes"
  folded: >-
    one
    two
  script: |
    #!/bin/sh
    # a comment that is content
    echo "\${HOME}"


    echo '--- no marker'
`;

const SHOP_CHART = {
  'charts/shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'charts/shop/values.yaml': 'replicas: 1\n',
  'charts/shop/values-staging.yaml': 'replicas: 2\n',
  'charts/shop/values-production.yaml': 'replicas: 5\n',
  'charts/shop/templates/delicate.yaml': `${DELICATE}---\n${DELICATE.replace('name: delicate', 'name: second').replace('0644', '{{ .Values.replicas }}')}`,
};

const CART_KUSTOMIZATION = {
  'cart/base/kustomization.yaml': 'resources: [delicate.yaml]\n',
  'cart/base/delicate.yaml': DELICATE,
  'cart/overlays/staging/kustomization.yaml': 'namespace: staging\nresources: [../../base]\n',
  'cart/overlays/production/kustomization.yaml':
    'namespace: production\nresources: [../../base]\nconfigMapGenerator: [{name: generated, literals: [a="0644"]}]\n',
};

const CASES: readonly Case[] = [
  {
    component: 'library',
    environment: 'default',
    plain: [
      'helm', 'template', 'library', 'charts/chart-with-template-lib-dep',
      '--namespace=web', '--kube-version=1.34.0',
    ],
  },
  {
    component: 'alpine',
    environment: 'default',
    plain: [
      'helm', 'template', 'alpine', 'charts/alpine', '--kube-version=1.34.0',
      '-f', 'charts/alpine/extra_values.yaml', '-f', 'charts/alpine/more_values.yaml',
    ],
  },
  { component: 'policies', environment: 'default', plain: ['helm', 'template', 'policies', 'charts/object-order'] },
  { component: 'source-controller', environment: 'default', plain: ['kustomize', 'build', 'flux/config/default'] },
  ...['staging', 'production'].flatMap((environment): Case[] => [
    {
      component: 'shop',
      environment,
      plain: ['helm', 'template', 'shop', 'charts/shop', '-f', `charts/shop/values-${environment}.yaml`],
    },
    { component: 'cart', environment, plain: ['kustomize', 'build', `cart/overlays/${environment}`] },
  ]),
]; // biome-ignore format: one command a line

describe('public charts and kustomizations, from the repository to production', () => {
  let world: World;
  let shipped: Awaited<ReturnType<typeof shipAll>>;
  beforeAll(async () => {
    const charts = join(await sourceDirectory('helm.sh/helm/v4', toolFolder('helm')), 'pkg/cmd/testdata/testcharts');
    const chart = (name: string) => readTree(join(charts, name), `charts/${name}`);
    const flux = await sourceDirectory('github.com/fluxcd/source-controller');
    world = await startWorld({
      files: {
        'gitless.yaml': GITLESS_YAML,
        ...(await chart('chart-with-template-lib-dep')),
        ...(await chart('alpine')),
        ...(await chart('object-order')),
        ...(await readTree(join(flux, 'config'), 'flux/config')),
        ...SHOP_CHART,
        ...CART_KUSTOMIZATION,
      },
    });
    shipped = await shipAll(world);
  });
  afterAll(() => world?.close());

  it.each(CASES)(
    'are promoted as the plain tool renders them: $component in $environment',
    async ({ component, environment, plain }) => {
      const promoted = manifestsIn(await streamsIn(join(shipped.folder, component, environment)));
      expect(promoted).toEqual(manifestsIn([await runPlain(world, plain)]));
      expect(promoted.size).toBeGreaterThan(0);
    },
  );

  it('keep variables and quotes as a chart writes them', async () => {
    const files = await readTree(join(shipped.folder, 'shop/production'), '.');
    expect(files['configmap-delicate.yaml']).toBe(`# Source: shop/templates/delicate.yaml\n${DELICATE}`);
  });

  it('render to the same bytes on another runner', async () => {
    const env = { PATH: await pathWith('helm', 'kustomize'), TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8' };
    const again = await inNewJob(world, (job) => job.run('render', {}, { env, umask: 0o077 }));
    expect(requireSuccess(again).outputs['tar-digest']).toBe(shipped.tarDigest);
  });

  it('leave the checkout as it was', async () => {
    expect(await changesIn(world)).toBe('');
  });
});
