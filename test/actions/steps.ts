import { rm } from 'node:fs/promises';
import type { ActionRun, RunOptions } from '@gitless/testkit';
import { requireSuccess, type World } from './support.ts';

export const SHIP_WORKFLOW = 'acme/shop/.github/workflows/ship.yml@refs/heads/main';
export const PROMOTE_WORKFLOW = 'acme/shop/.github/workflows/promote.yml@refs/heads/main';

export const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1';
export const PROVENANCE = 'https://slsa.dev/provenance/v1';
export const SBOM = 'https://cyclonedx.org/bom';
export const CHECKS = 'https://in-toto.io/attestation/test-result/v0.1';
export const PROMOTION = 'https://gitless.dev/attestations/promotion/v1';

export function deployment(name: string, image = `registry.example.test/${name}:1.0.0`): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  template:
    spec:
      containers:
        - name: main
          image: ${image}
`;
}

/** render, package, sign and push in a job of their own; returns what push said. */
export async function ship(
  world: World,
  inputs: { readonly render?: Record<string, string>; readonly push?: Record<string, string> } = {},
  options: Partial<RunOptions> = {},
): Promise<ActionRun> {
  return inNewJob(world, async (job) => {
    requireSuccess(await job.run('render', inputs.render ?? {}, options));
    requireSuccess(await job.run('package', {}, options));
    requireSuccess(await job.run('sign', {}, options));
    return requireSuccess(await job.run('push', inputs.push ?? {}, options));
  });
}

/** promote in the promoting workflow, whose identity is not the shipping one's. */
export async function promote(
  world: World,
  inputs: Record<string, string | undefined>,
  options: Partial<RunOptions> = {},
): Promise<ActionRun> {
  const former = world.issuer.claims;
  world.issuer.claims = { ...former, workflow_ref: PROMOTE_WORKFLOW, job_workflow_ref: PROMOTE_WORKFLOW };
  try {
    return await world.run('promote', inputs, {
      ...options,
      env: { GITHUB_WORKFLOW_REF: PROMOTE_WORKFLOW, GITHUB_WORKFLOW: 'Promote', ...options.env },
    });
  } finally {
    world.issuer.claims = former;
  }
}

/** Another job of the same run: the same checkout, an empty temporary directory, gone afterwards. */
export async function inNewJob<T>(world: World, work: (job: World) => Promise<T>): Promise<T> {
  const job = await world.newJob();
  try {
    return await work(job);
  } finally {
    await rm(job.temp, { recursive: true, force: true });
  }
}
