import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHIPPER, startWorld, type World } from '../actions/support.ts';
import { type Case, runPlain, shipAll } from './ship.ts';
import { manifestsIn, readTree, streamsIn } from './support.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples/apps');

const CASES: readonly Case[] = ['staging', 'production'].flatMap((environment): Case[] => [
  {
    component: 'web',
    environment,
    plain: [
      'helm',
      'template',
      'web',
      'apps/web',
      '--namespace=web',
      '--kube-version=1.33',
      '--values=apps/web/values.yaml',
      `--values=apps/web/values-${environment}.yaml`,
    ],
  },
  { component: 'api', environment, plain: ['kustomize', 'build', `apps/api/overlays/${environment}`] },
  { component: 'settings', environment, plain: ['cat', `apps/settings/${environment}/settings.yaml`] },
]);

describe('the example repository, as it is', () => {
  let world: World;
  let folder: string;
  beforeAll(async () => {
    world = await startWorld({ files: await readTree(EXAMPLES, '.') });
    const signer = { ...SHIPPER, issuer: world.issuer.url, 'source-repository': 'acme/shop' };
    const target = { 'to-registry': `${world.registry.host}/acme` };
    ({ folder } = await shipAll(world, { push: signer, promote: { ...signer, ...target } }));
  });
  afterAll(() => world?.close());

  it.each(CASES)('promotes $component in $environment as the plain tool renders it', async (one) => {
    const promoted = manifestsIn(await streamsIn(join(folder, one.component, one.environment)));
    expect(promoted).toEqual(manifestsIn([await runPlain(world, one.plain)]));
  });
});
