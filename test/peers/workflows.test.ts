import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireGreen, type WorkflowRun } from './act.ts';
import { exampleWorkflow, type Repository } from './github.ts';
import { AUDIENCE } from './organisation.ts';
import {
  COMPONENTS,
  type Digests,
  digestsOf,
  SHIPPER,
  startWorkflowWorld,
  type WorkflowWorld,
} from './workflow-world.ts';

const PROMOTER = 'https://github.com/acme/apps/.github/workflows/promote.yml@refs/heads/main';
const ORGANISATION = 'https://github.com/acme/workflows/.github/workflows/ship.yml@refs/heads/main';
const ONE_TOKEN = [{ audience: AUDIENCE, status: 200 }];

let world: WorkflowWorld;
beforeAll(async () => {
  world = await startWorkflowWorld();
});
// biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
afterAll(({}, suite) => world?.close(suite));

describe.each([
  ['ship.yml', 'two-jobs', { render: 'success', ship: 'success' }],
  ['ship-one-job.yml', 'one-job', { ship: 'success' }],
])('%s', (example, place, jobs) => {
  let repository: Repository;
  let first: WorkflowRun;
  beforeAll(async () => {
    repository = await world.createRepository(place, { 'ship.yml': example });
  });

  it('makes of a merge to main a latest that is signed and verified, with one token', async () => {
    const { result, tokens } = await world.countingTokens(repository.run('ship.yml'));
    first = requireGreen(result);
    expect(first.jobs).toEqual(jobs);
    expect(tokens).toEqual(ONE_TOKEN);
    const digests = digestsOf(first, 'ship', 'push');
    expect(Object.keys(digests).sort()).toEqual(COMPONENTS);
    expect(await world.tagged(place, 'latest')).toEqual(digests);
    expect(await world.verified(place, 'latest', SHIPPER)).toEqual(digests);
  });

  it('shows no token in its log', () => {
    expect(first.log).toContain(SHIPPER);
    expect(first.log).not.toContain(world.issuer.requestToken);
    expect(first.log).not.toContain(world.issuer.issuedTokens.at(-1));
  });

  it('gives the same digests in a second attempt, and writes no tag', async () => {
    const before = await world.tagsWritten(place);
    expect(before.filter((tag) => tag.endsWith(':latest'))).toHaveLength(COMPONENTS.length);
    const again = requireGreen(await repository.run('ship.yml', { attempt: 2 }));
    expect(digestsOf(again, 'ship', 'push')).toEqual(digestsOf(first, 'ship', 'push'));
    expect(again.outputs('ship', 'acme/gitless/actions/push')['pushed']).toBe('true');
    expect(await world.tagsWritten(place)).toEqual(before);
  });
});

describe('ship.yml with three components, one of which does not render', () => {
  it('ships the other two, and the run is red', async () => {
    const place = 'one-fails';
    const files = { 'apps/web/templates/deployment.yaml': '{{ fail "no replicas" }}\n' };
    const repository = await world.createRepository(place, { 'ship.yml': 'ship.yml' }, { files });
    const run = await repository.run('ship.yml');
    expect(run.exitCode).toBe(1);
    expect(run.jobs['render']).toBe('failure');
    expect(run.errors.filter((error) => error.includes('no replicas'))).not.toEqual([]);
    const digests = digestsOf(run, 'ship', 'push');
    expect(Object.keys(digests).sort()).toEqual(['api', 'settings']);
    expect(await world.tagged(place, 'latest')).toEqual(digests);
    expect(await world.verified(place, 'latest', SHIPPER, ['api', 'settings'])).toEqual(digests);
  });
});

describe('promote.yml', () => {
  const place = 'promotion';
  const production = `${place}/production`;
  let repository: Repository;
  let digests: Digests;
  beforeAll(async () => {
    const workflows = { 'ship.yml': 'ship.yml', 'promote.yml': 'promote.yml' };
    repository = await world.createRepository(place, workflows);
    digests = digestsOf(requireGreen(await repository.run('ship.yml')), 'ship', 'push');
  });

  function dispatch(attempt: number): Promise<WorkflowRun> {
    const inputs = { from: COMPONENTS.map((component) => `${component}=latest`).join(','), version: 'v1.0.0' };
    return repository.run('promote.yml', { event: 'workflow_dispatch', payload: { inputs }, attempt });
  }

  it('makes of a dispatch a preview without a token, then v1.0.0 and stable', async () => {
    const { result, tokens } = await world.countingTokens(dispatch(1));
    expect(requireGreen(result).jobs).toEqual({ preview: 'success', promote: 'success' });
    expect(tokens).toEqual(ONE_TOKEN);
    for (const job of ['preview', 'promote']) {
      expect(digestsOf(result, job, 'promote')).toEqual(digests);
    }
    for (const digest of Object.values(digests)) {
      expect(result.summary('preview')).toContain(digest);
    }
    for (const tag of ['v1.0.0', 'stable']) {
      expect(await world.tagged(production, tag)).toEqual(digests);
      expect(await world.verified(production, tag, PROMOTER)).toEqual(digests);
    }
  });

  it('gives the same digests in a second attempt, and writes no tag', async () => {
    const before = await world.tagsWritten(place);
    expect(before.filter((tag) => tag.endsWith(':stable'))).toHaveLength(COMPONENTS.length);
    const again = requireGreen(await dispatch(2));
    expect(digestsOf(again, 'promote', 'promote')).toEqual(digests);
    expect(await world.tagsWritten(place)).toEqual(before);
  });
});

describe('check.yml', () => {
  it('renders and packs a pull request, and asks neither for a token nor anything of the registry', async () => {
    const place = 'pull-request';
    const repository = await world.createRepository(place, { 'check.yml': 'check.yml' });
    const head = { ref: 'change', repo: { full_name: 'octocat/apps', fork: true } };
    const payload = { number: 7, pull_request: { number: 7, base: { ref: 'main' }, head } };
    const { result, tokens } = await world.countingTokens(
      repository.run('check.yml', { event: 'pull_request', payload, tokenForAll: true }),
    );
    expect(requireGreen(result).jobs).toEqual({ check: 'success' });
    expect(Object.keys(digestsOf(result, 'check', 'package')).sort()).toEqual(COMPONENTS);
    expect(tokens).toEqual([]);
    expect(await world.requestsBelow(place)).toEqual([]);
  });
});

describe('organisation/ship.yml, called by caller.yml of another repository', () => {
  async function call(place: string, { name = 'acme/apps', shared = true } = {}): Promise<WorkflowRun> {
    const workflows = { 'ship.yml': 'organisation/caller.yml' };
    const repository = await world.createRepository(place, workflows, { name, identity: ORGANISATION });
    const content = (await exampleWorkflow('organisation/ship.yml')).replace(
      'shared-identity: true',
      `shared-identity: ${shared}`,
    );
    return repository.run('ship.yml', { calls: { repository: 'acme/workflows', file: 'ship.yml', content } });
  }

  it('ships under the identity of the organisation', async () => {
    const place = 'organisation';
    const run = requireGreen(await call(place));
    const digests = digestsOf(run, 'ship', 'push');
    expect(Object.keys(digests).sort()).toEqual(COMPONENTS);
    expect(await world.tagged(place, 'latest')).toEqual(digests);
    expect(await world.verified(place, 'latest', ORGANISATION)).toEqual(digests);
  });

  it('is refused by sign without shared-identity, and the registry is not asked', async () => {
    const place = 'not-shared';
    const run = await call(place, { shared: false });
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringContaining('[IDENTITY_SHARED]')]);
    expect(await world.requestsBelow(place)).toEqual([]);
  });

  it('is refused by push when the caller is not the repository that gitless.yaml names', async () => {
    const place = 'stranger';
    const run = await call(place, { name: 'acme/stranger' });
    expect(run.exitCode).toBe(1);
    expect(run.errors).toEqual([expect.stringMatching(/^push failed.*\[COMPONENTS_FAILED\]/)]);
    expect(run.errors[0]).toContain(
      '[IDENTITY_MISMATCH]; sourceRepository: expected https://github.com/acme/apps, seen https://github.com/acme/stranger',
    );
    expect(await world.tagsWritten(place)).toEqual([]);
  });
});
