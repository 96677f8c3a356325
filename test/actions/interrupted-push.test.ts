import { startRegistry } from '@gitless/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHIPPER } from './artifact-expectations.ts';
import { isManifestWrite, isWrite, killEverywhere, type Step, startSignedWorld } from './interruption.ts';
import { PROVENANCE, SBOM, SIGNATURE } from './steps.ts';
import type { World } from './support.ts';

describe('push, killed at any moment and run again', () => {
  let world: World;
  let digest: string;
  beforeAll(async () => {
    ({ world, digest } = await startSignedWorld());
  });
  afterAll(() => world.close());

  const step: Step = (registry, target, signal) =>
    world.run('push', { registry: `${registry.host}/${target}` }, { signal });
  const required = [SIGNATURE, PROVENANCE, SBOM].map((type) => `${type} by ${SHIPPER}`);

  it.each([
    ['with the referrers API', true, isWrite, 15],
    ['without the referrers API', false, isManifestWrite, 8],
  ])(
    'converges and never tags what is not verified, on a registry %s',
    async (_what, referrers, killBefore, points) => {
      const registry = await startRegistry({ referrers });
      const tags = [`b-${world.workspace.sha.slice(0, 12)}-16234567890`, 'latest'];
      try {
        const done = await killEverywhere(registry, { step, digest, required, tags, killBefore });
        expect(done).toBeGreaterThanOrEqual(points);
      } finally {
        await registry.close();
      }
    },
    120_000,
  );
});
