import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHIPPER } from './artifact-expectations.ts';
import { isWrite, killEverywhere, type Step, startSignedWorld } from './interruption.ts';
import { PROMOTE_WORKFLOW, PROMOTION, PROVENANCE, promote, SBOM, SIGNATURE } from './steps.ts';
import type { World } from './support.ts';

const VERSION = 'v1.0.0';

describe('promote, killed at any moment and run again', () => {
  let world: World;
  let digest: string;
  beforeAll(async () => {
    ({ world, digest } = await startSignedWorld());
  });
  afterAll(() => world.close());

  const step: Step = (registry, target, signal) => {
    const places = { registry: `${registry.host}/acme`, 'to-registry': `${registry.host}/${target}` };
    return promote(world, { from: `web=${digest}`, version: VERSION, ...places }, { signal });
  };
  const required = [
    ...[SIGNATURE, PROVENANCE, SBOM].map((type) => `${type} by ${SHIPPER}`),
    ...[SIGNATURE, PROMOTION].map((type) => `${type} by https://github.com/${PROMOTE_WORKFLOW}`),
  ];

  it('converges and never tags what is not verified and recorded', async () => {
    const what = { step, digest, required, tags: [VERSION, 'stable'], killBefore: isWrite };
    expect(await killEverywhere(world.registry, what)).toBeGreaterThanOrEqual(19);
  }, 120_000);
});
