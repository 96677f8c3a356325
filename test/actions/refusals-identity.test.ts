import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectRefusal, type Refusal, type ShippedWorld, startShippedWorld } from './refusal.ts';
import { requireSuccess, SHIPPER } from './support.ts';

const SHARED = 'acme/workflows/.github/workflows/ship.yml@refs/heads/main';

let world: ShippedWorld;
beforeAll(async () => {
  world = await startShippedWorld();
});
afterEach(() => {
  world.issuer.claims = {};
  world.issuer.lifetimeSeconds = 300;
  world.issuer.failWith(undefined);
});
afterAll(() => world.close());

/** Into a production repository of its own, so that the cases do not meet. */
function promotion(to = 'production'): Record<string, string> {
  const version = 'v1.0.0';
  return { from: `web=${world.digest}`, version, 'to-registry': `${world.registry.host}/${to}` };
}

/** After the token, nothing goes to Fulcio, to the log or to the registry. */
async function refusesToken(refusal: Omit<Refusal, 'when' | 'afterToken'>): Promise<void> {
  const before = world.sigstore.requests.length;
  await expectRefusal(world, { when: '', ...refusal, afterToken: true });
  expect(world.sigstore.requests.slice(before)).toEqual([]);
}

describe.each(['sign', 'promote'] as const)('the token that %s gets', (action) => {
  const inputs = (more: Record<string, string> = {}) => ({ ...(action === 'promote' ? promotion() : {}), ...more });

  it('names a workflow of another repository → IDENTITY_SHARED', async () => {
    world.issuer.claims = { job_workflow_ref: SHARED };
    await refusesToken({
      action,
      inputs: inputs(),
      code: 'IDENTITY_SHARED',
      says: [SHARED, 'another repository', 'shared-identity: true'],
    });
  });

  it('is of another repository than the run → TOKEN_FOREIGN', async () => {
    world.issuer.claims = { repository: 'acme/other' };
    await refusesToken({
      action,
      inputs: inputs(),
      code: 'TOKEN_FOREIGN',
      says: ['expected acme/shop', 'seen acme/other'],
    });
  });

  it('lacks claims → OIDC_FAILED', async () => {
    world.issuer.claims = { job_workflow_ref: undefined };
    await refusesToken({ action, inputs: inputs(), code: 'OIDC_FAILED', says: ['job_workflow_ref: is missing'] });
  });

  it.each([401, 500])('is not given (HTTP %d) → OIDC_FAILED', async (status) => {
    world.issuer.failWith(status);
    await refusesToken({
      action,
      inputs: inputs(),
      code: 'OIDC_FAILED',
      says: [`the runner's token endpoint answered ${status}`, 'run the job again'],
    });
  });

  it.each([
    ['has expired', { lifetimeSeconds: -10 }, {}],
    ['is for another audience than Fulcio wants', {}, { 'oidc-audience': 'somebody.else' }],
  ])('%s → FULCIO_REFUSED', async (_when, issuer, more) => {
    Object.assign(world.issuer, issuer);
    const run = await expectRefusal(world, {
      when: '',
      action,
      inputs: inputs(more),
      code: 'FULCIO_REFUSED',
      says: ['Fulcio answered 400', 'error processing the identity token', 'oidc-audience', 'expired'],
      afterToken: true,
    });
    for (const token of world.issuer.issuedTokens) {
      expect(run.log).not.toContain(token);
    }
  });
});

describe('the environment', () => {
  it.each([
    ['none', {}],
    ['another', { environment: 'staging' }],
  ])('is %s than promote was told → ENVIRONMENT_MISMATCH', async (seen, claims) => {
    world.issuer.claims = claims;
    await refusesToken({
      action: 'promote',
      inputs: { ...promotion(), environment: 'production' },
      code: 'ENVIRONMENT_MISMATCH',
      says: ['environment production', `seen ${seen === 'none' ? 'none' : 'staging'}`, 'environment: production'],
    });
  });
});

describe('shared-identity: true', () => {
  const optIn = { 'shared-identity': 'true' };

  it.each(['sign', 'promote'] as const)(
    'lets %s go on, and result and summary say who else signs so',
    async (action) => {
      world.issuer.claims = { job_workflow_ref: SHARED };
      const run = requireSuccess(
        await world.run(
          action,
          { ...(action === 'promote' ? promotion('shared') : {}), ...optIn },
          {
            temp: await world.tempBefore(action),
          },
        ),
      );
      const result: { optIns: string[] } = JSON.parse(await readFile(run.outputs['result'] ?? '', 'utf8'));
      expect(result.optIns).toEqual([`shared-identity: ${SHARED}`]);
      expect(run.summary).toMatch(/shared identity/i);
      expect(run.summary).toContain('every repository whose workflows call');
      expect(run.summary).toContain('shared-identity');
    },
  );

  it('is not recorded where it was not needed', async () => {
    const run = requireSuccess(await world.run('sign', optIn, { temp: await world.tempBefore('sign') }));
    expect(JSON.parse(await readFile(run.outputs['result'] ?? '', 'utf8'))).not.toHaveProperty('optIns');
    expect(run.summary).not.toMatch(/shared/i);
  });
});

describe('allow-events and allow-refs', () => {
  const env = { GITHUB_EVENT_NAME: 'release', GITHUB_REF: 'refs/heads/release/1' };
  const allowed = { 'allow-events': 'release, repository_dispatch', 'allow-refs': 'refs/tags/*, refs/heads/release/*' };
  const recorded = ['allow-events: release', 'allow-refs: refs/heads/release/*'];

  it.each(['sign', 'push', 'promote'] as const)(
    'let %s go on; result and summary name those that were needed',
    async (action) => {
      const own = {
        sign: {},
        push: { ...SHIPPER, issuer: world.issuer.url, tags: 'release-1' },
        promote: { ...promotion(), 'dry-run': 'true' },
      };
      const run = requireSuccess(
        await world.run(action, { ...own[action], ...allowed }, { env, temp: await world.tempBefore(action) }),
      );
      const result: { optIns: string[] } = JSON.parse(await readFile(run.outputs['result'] ?? '', 'utf8'));
      expect(result.optIns).toEqual(recorded);
      expect(run.summary).toContain('Opt-ins of the workflow file (2)');
      expect(run.summary).toContain('allow-events: release');
    },
  );
});

describe('what was shipped', () => {
  const component = { action: 'promote', afterToken: true, afterRegistry: true, ofComponent: true } as const;

  it.each<[string, () => Refusal]>([
    [
      'is signed for another component → COMPONENT_MISMATCH',
      () => ({
        ...component,
        when: '',
        inputs: {
          ...promotion(),
          from: `api=${world.digest}`,
          registry: undefined,
          repository: `${world.registry.host}/acme/web`,
        },
        code: 'COMPONENT_MISMATCH',
        says: ['api failed [COMPONENTS_FAILED]', 'signed for another component', 'expected api', 'seen web'],
      }),
    ],
    [
      'is signed by somebody else → SIGNED_BY_SOMEONE_ELSE',
      () => ({
        ...component,
        when: '',
        inputs: {
          ...promotion(),
          identity: 'https://github.com/acme/other/.github/workflows/ship.yml@refs/heads/main',
        },
        code: 'SIGNED_BY_SOMEONE_ELSE',
        says: ['not by the expected identity', 'expected https://github.com/acme/other', SHIPPER.identity],
      }),
    ],
    [
      'comes from another repository than source-repository → SIGNED_BY_SOMEONE_ELSE',
      () => ({
        ...component,
        when: '',
        inputs: { ...promotion(), 'source-repository': 'acme/other' },
        code: 'SIGNED_BY_SOMEONE_ELSE',
        says: [
          'run by https://github.com/acme/other',
          `seen ${SHIPPER.identity}`,
          'run by https://github.com/acme/shop',
        ],
      }),
    ],
    [
      'was never published → NOT_PUBLISHED',
      () => ({
        ...component,
        when: '',
        inputs: { ...promotion(), from: `web=sha256:${'a'.repeat(64)}` },
        code: 'NOT_PUBLISHED',
        says: ['/acme/web does not hold sha256:aaaa', 'only what was published'],
      }),
    ],
    [
      'would replace what the channel does not point to → CHANNEL_CHANGED',
      () => ({
        ...component,
        when: '',
        inputs: { ...promotion(), channel: 'ring1', 'expected-current': `sha256:${'a'.repeat(64)}` },
        // A channel of its own must be promote's.
        files: { 'gitless.yaml': 'schema: 1\nchannels: {ring1: {by: promote}}\n' },
        code: 'CHANNEL_CHANGED',
        says: ['ring1 does not point to what was expected', 'seen no such tag'],
      }),
    ],
  ])('%s', async (_when, refusal) => {
    await expectRefusal(world, refusal());
  });

  it('is pushed by a job that expects another source repository → SIGNED_BY_SOMEONE_ELSE, and no tag', async () => {
    const inputs = { registry: `${world.registry.host}/fresh`, 'source-repository': 'acme/other' };
    const tags = world.registry.tagHistory.length;
    const run = await world.run('push', inputs, { temp: await world.tempBefore('push') });
    expect(run.exitCode).toBe(1);
    expect(run.log).toContain('[SIGNED_BY_SOMEONE_ELSE]');
    expect(run.log).toContain('expected https://github.com/acme/other');
    expect(world.registry.tagHistory.length).toBe(tags);
  });
});
