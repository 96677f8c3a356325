import type { ActionRun, TestRegistry } from '@gitless/testkit';
import { expect } from 'vitest';
import { referrersOf } from './raw.ts';
import { deployment } from './steps.ts';
import { requireSuccess, startWorld, type World } from './support.ts';

/** Runs a step into `<registry>/<target>/web`. */
export type Step = (registry: TestRegistry, target: string, signal: AbortSignal) => Promise<ActionRun>;

/** A world in which `web` is signed and pushed to `acme/web`. */
export async function startSignedWorld(): Promise<{ readonly world: World; readonly digest: string }> {
  const world = await startWorld({ files: { 'deploy/web.yaml': deployment('web') } });
  requireSuccess(await world.run('render', { name: 'web', path: 'deploy', engine: 'plain' }));
  requireSuccess(await world.run('package'));
  requireSuccess(await world.run('sign'));
  const { outputs } = requireSuccess(await world.run('push'));
  return { world, digest: outputs['digest'] ?? '' };
}

/** Statements about the digest whose signature verifies by the key of their certificate, and who made them. */
function statements(registry: TestRegistry, repository: string, digest: string): string[] {
  return referrersOf(registry, repository, digest)
    .filter(({ isSigned }) => isSigned)
    .map(({ predicateType, signer }) => `${predicateType} by ${signer}`);
}

export interface Request {
  readonly method: string;
  readonly path: string;
}

/** Requests after which a registry holds something else. Nothing changes between two of them: a kill before the later one stands for all. */
export function isWrite({ method, path }: Request): boolean {
  return method === 'PUT' || (method === 'POST' && path.includes('mount='));
}

/** Only the registry's index of referrers, referrers and tags: what a registry without the referrers API does differently. */
export function isManifestWrite(request: Request): boolean {
  return isWrite(request) && request.path.includes('/manifests/');
}

/** What is done and what must hold. */
export interface Case {
  readonly digest: string;
  readonly step: Step;
  /** Must be there, verified, before any tag is. */
  readonly required: readonly string[];
  readonly tags: readonly string[];
  /** Requests before which the step is killed. */
  readonly killBefore: (request: Request) => boolean;
}

/** Runs a step while looking at the registry at each tag; kills it, before the request is obeyed, at number `killAt` of its kill points. */
async function watched(
  registry: TestRegistry,
  target: string,
  { step, digest, required, killBefore }: Case,
  killAt?: number,
) {
  const killer = new AbortController();
  const violations: string[] = [];
  let points = 0;
  registry.onRequest = (request) => {
    if (killBefore(request)) {
      if (points === killAt) {
        killer.abort();
        return { kind: 'reset' };
      }
      points += 1;
    }
    const tag = request.method === 'PUT' ? /\/manifests\/(?!sha256[:-])(.+)$/.exec(request.path)?.[1] : undefined;
    if (tag !== undefined) {
      const there = statements(registry, `${target}/web`, digest);
      violations.push(...required.filter((one) => !there.includes(one)).map((one) => `${tag} without ${one}`));
    }
    return undefined;
  };
  const run = await step(registry, target, killer.signal);
  registry.onRequest = undefined;
  expect(violations).toEqual([]);
  return { run, points };
}

/** Kills a step at each of its kill points, with a fresh target each time, and runs it again. Returns how many there were. */
export async function killEverywhere(registry: TestRegistry, what: Case): Promise<number> {
  const complete = await watched(registry, 'complete', what);
  requireSuccess(complete.run);
  const expected = state(registry, 'complete/web', what.digest);
  expect(expected.tags).toEqual(what.tags.map((tag) => [tag, what.digest]));
  for (let point = 0; point < complete.points; point += 1) {
    const target = `killed-${point}`;
    const killed = await watched(registry, target, what, point);
    expect(killed.run.exitCode, killed.run.log).toBe(137);
    requireSuccess((await watched(registry, target, what)).run);
    expect(state(registry, `${target}/web`, what.digest)).toEqual(expected);
  }
  return complete.points;
}

/** What a reader finds in the end. */
function state(registry: TestRegistry, repository: string, digest: string) {
  const tags = [...registry.tags(repository)].filter(([tag]) => !tag.startsWith('sha256-'));
  return { tags, statements: [...new Set(statements(registry, repository, digest))].sort() };
}
