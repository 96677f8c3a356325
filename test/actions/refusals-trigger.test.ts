import { describe } from 'vitest';
import { type Refusal, refusingSteps } from './refusal.ts';
import { SHIPPER } from './support.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const WEB = { from: `web=${DIGEST}`, version: 'v1.0.0' } as const;
const BRANCH = { GITHUB_REF: 'refs/heads/feature' } as const;

/** What every step that asks for a token or publishes must be given besides the trigger. */
const NEEDED = { sign: {}, push: {}, promote: WEB } as const;

const { refuses } = refusingSteps();

describe('a trigger that others than those who may merge can cause', () => {
  const triggers = [
    { event: 'pull_request', ref: 'refs/pull/7/merge' },
    { event: 'pull_request_target', ref: 'refs/heads/main' },
    { event: 'workflow_run', ref: 'refs/heads/main' },
    { event: 'issue_comment', ref: 'refs/heads/main' },
    { event: 'merge_group', ref: 'refs/heads/gh-readonly-queue/main/pr-7' },
  ];
  refuses(
    (['sign', 'push', 'promote'] as const).flatMap((action) => [
      ...triggers.map(({ event, ref }) => ({
        when: `the event ${event}`,
        action,
        inputs: NEEDED[action],
        env: { GITHUB_EVENT_NAME: event, GITHUB_REF: ref },
        code: 'EVENT_REFUSED',
        says: [`the event ${event} may not`, 'Fix: start this job by push', 'allow-events'],
      })),
      ...['refs/heads/feature', 'refs/tags/v1.0.0', 'refs/heads/maintenance'].map((ref) => ({
        when: `the ref ${ref}`,
        action,
        inputs: NEEDED[action],
        env: { GITHUB_REF: ref },
        code: 'REF_REFUSED',
        says: [`${ref} is not the default branch`, 'allow-refs'],
      })),
      {
        when: 'an allowed event on a ref that is not',
        action,
        inputs: { ...NEEDED[action], 'allow-events': 'release' },
        env: { GITHUB_EVENT_NAME: 'release', GITHUB_REF: 'refs/tags/v1.0.0' },
        code: 'REF_REFUSED',
        says: ['refs/tags/v1.0.0 is not the default branch'],
      },
      ...['main', 'refs/heads/*/x', '*'].map((pattern) => ({
        when: `allow-refs: ${pattern}, even where it is not needed`,
        action,
        inputs: { ...NEEDED[action], 'allow-refs': pattern },
        code: 'BAD_ALLOW_REF',
        says: [JSON.stringify(pattern), 'refs/heads/release/*'],
      })),
    ]),
  );
});

describe('no OIDC token, told apart', () => {
  const noToken = { ACTIONS_ID_TOKEN_REQUEST_URL: undefined, ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined };
  const fork = { pull_request: { head: { repo: { full_name: 'mallory/shop', fork: true } } } };
  const pullRequest = { GITHUB_EVENT_NAME: 'pull_request', GITHUB_REF: 'refs/pull/7/merge' };
  const allowed = { 'allow-events': 'pull_request', 'allow-refs': 'refs/pull/*' };
  refuses(
    (['sign', 'promote'] as const).flatMap((action) => [
      {
        when: 'a pull request from a fork',
        action,
        inputs: { ...NEEDED[action], ...allowed },
        env: { ...noToken, ...pullRequest },
        event: fork,
        code: 'OIDC_MISSING',
        says: ['from a fork', 'after the merge'],
      },
      {
        when: 'a pull request whose fork was deleted',
        action,
        inputs: { ...NEEDED[action], ...allowed },
        env: { ...noToken, ...pullRequest },
        event: { pull_request: { head: { repo: null } } },
        code: 'OIDC_MISSING',
        says: ['from a fork', 'after the merge'],
      },
      {
        when: 'Dependabot started the run',
        action,
        inputs: NEEDED[action],
        env: { ...noToken, GITHUB_ACTOR: 'dependabot[bot]' },
        code: 'OIDC_MISSING',
        says: ['Dependabot', 'read-only', 'after the merge'],
      },
      {
        when: 'the job lacks the permission',
        action,
        inputs: NEEDED[action],
        env: noToken,
        code: 'OIDC_MISSING',
        says: ['id-token: write', 'job that calls it'],
      },
      {
        when: 'an Enterprise Server, which may be too old',
        action,
        inputs: NEEDED[action],
        env: { ...noToken, GITHUB_SERVER_URL: 'https://git.example.test' },
        code: 'OIDC_MISSING',
        says: ['https://git.example.test', '3.5', 'id-token: write'],
      },
    ]),
  );
});

describe('another ref than the default branch, allowed in the workflow file', () => {
  const config = `schema: 1
registry: registry.example.test/acme
identity: {issuer: "https://issuer.example.test", subject: somebody}
trust: {trusted-root: root.json, signing-config: config.json}
channels: {next: {by: push}}
`;
  const allowed = { 'allow-refs': 'refs/heads/feature' };
  const onBranch = (refusal: Omit<Refusal, 'env' | 'files'>): Refusal => ({
    ...refusal,
    inputs: { ...allowed, ...refusal.inputs },
    env: BRANCH,
    files: { 'gitless.yaml': config },
  });
  const identity = { ...SHIPPER, issuer: 'https://issuer.example.test' };
  refuses([
    onBranch({
      when: 'trust that only gitless.yaml names',
      action: 'sign',
      inputs: { 'trusted-root': undefined, 'signing-config': undefined },
      code: 'SETTING_MISSING',
      says: ['trusted-root, signing-config', 'on the default branch only'],
    }),
    onBranch({
      when: 'an identity that only gitless.yaml names',
      action: 'promote',
      inputs: { ...WEB, identity: undefined, issuer: undefined },
      code: 'SETTING_MISSING',
      says: ['identity and issuer', 'on the default branch only'],
    }),
    onBranch({
      when: 'neither tags nor identity nor issuer',
      action: 'push',
      code: 'SETTING_MISSING',
      says: ['tags, identity, issuer'],
    }),
    onBranch({
      when: 'a registry that only gitless.yaml names',
      action: 'push',
      inputs: { ...identity, tags: 'feature', registry: undefined },
      code: 'SETTING_MISSING',
      says: ['registry (or repository)'],
    }),
    ...['latest', 'next'].map((tag) =>
      onBranch({
        when: `tags: ${tag}, which the default branch writes`,
        action: 'push',
        inputs: { ...identity, tags: tag },
        code: 'TAG_REFUSED',
        says: [`${tag} belongs to the default branch`, 'a channel of its own'],
      }),
    ),
    onBranch({
      when: 'tags: stable, which promote owns',
      action: 'push',
      inputs: { ...identity, tags: 'stable' },
      code: 'TAG_REFUSED',
      says: ['stable: is a channel that promote owns'],
    }),
  ]);
});

describe('rules from another commit than the one that this run is about', () => {
  refuses(
    (['sign', 'push'] as const).map((action) => ({
      when: 'a gitless.yaml that the default branch does not have',
      action,
      inputs: NEEDED[action],
      files: { 'gitless.yaml': 'schema: 1\nchannels: {stable: {by: push}}\n' },
      code: 'CHECKOUT_MISMATCH',
      says: ['the checkout is another commit', 'leave `ref` out'],
    })),
  );
});
