import { describe, expect, it } from 'vitest';
import { githubEnvironment } from './environment.ts';
import { eventPayload } from './event.ts';

describe('the environment', () => {
  it('is that of a push to main', () => {
    expect(githubEnvironment()).toMatchObject({
      GITHUB_ACTIONS: 'true',
      GITHUB_EVENT_NAME: 'push',
      GITHUB_REPOSITORY_OWNER: 'acme',
      GITHUB_REF_NAME: 'main',
      GITHUB_WORKFLOW_REF: 'acme/shop/.github/workflows/ship.yml@refs/heads/main',
      RUNNER_OS: 'Linux',
    });
  });

  it('stays consistent when something is overridden', () => {
    const environment = githubEnvironment({
      GITHUB_REPOSITORY: 'other/app',
      GITHUB_REF: 'refs/tags/v1',
      GITHUB_SHA: 'a'.repeat(40),
    });
    expect(environment).toMatchObject({
      GITHUB_REPOSITORY_OWNER: 'other',
      GITHUB_REF_NAME: 'v1',
      GITHUB_REF_TYPE: 'tag',
      GITHUB_WORKFLOW_REF: 'other/app/.github/workflows/ship.yml@refs/tags/v1',
      GITHUB_WORKFLOW_SHA: 'a'.repeat(40),
    });
    expect(eventPayload(environment, { repository: { visibility: 'public' }, action: 'x' })).toMatchObject({
      ref: 'refs/tags/v1',
      after: 'a'.repeat(40),
      repository: { full_name: 'other/app', visibility: 'public', default_branch: 'main', owner: { login: 'other' } },
      action: 'x',
    });
    expect(githubEnvironment({ GITHUB_REF_TYPE: 'branch', GITHUB_REF: 'refs/tags/v1' }).GITHUB_REF_TYPE).toBe('branch');
  });
});
