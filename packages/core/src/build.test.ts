import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { type Build, BuildSchema, fluxRevision, runUrl } from './build.ts';

const build: Build = {
  serverUrl: 'https://github.com',
  repository: 'acme/shop',
  repositoryId: '1',
  repositoryOwnerId: '2',
  ref: 'refs/heads/main',
  sha: '8f1c2d3e4a5b69788796a5b4c3d2e1f00f1e2d3c',
  workflow: 'ship',
  workflowRef: 'acme/shop/.github/workflows/ship.yml@refs/heads/main',
  eventName: 'push',
  runId: '180',
  runAttempt: '1',
  actor: 'octocat',
  runnerEnvironment: 'github-hosted',
};

describe('Build', () => {
  it('leads to the run, without the attempt', () => {
    expect(runUrl(build)).toBe('https://github.com/acme/shop/actions/runs/180');
  });

  it.each([
    ['refs/heads/main', build.sha, `main@sha1:${build.sha}`],
    ['refs/heads/feature/refs/heads/x', build.sha, `feature/refs/heads/x@sha1:${build.sha}`],
    ['refs/tags/v1', 'a'.repeat(64), `v1@sha256:${'a'.repeat(64)}`],
    ['refs/pull/7/merge', build.sha, `refs/pull/7/merge@sha1:${build.sha}`],
  ])('names %s in Flux’s revision grammar', (ref, sha, revision) => {
    expect(fluxRevision({ ...build, ref, sha })).toBe(revision);
  });

  it.each(['', 'main', 'a'.repeat(41), 'A'.repeat(40), `${'a'.repeat(40)}\n`])('refuses the commit %j', (sha) => {
    expect(v.is(BuildSchema, { ...build, sha })).toBe(false);
  });
});
