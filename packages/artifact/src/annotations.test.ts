import { type Build, UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { type ArtifactDescription, artifactAnnotations } from './annotations.ts';

const build: Build = {
  serverUrl: 'https://github.com',
  repository: 'acme/apps',
  repositoryId: '1',
  repositoryOwnerId: '2',
  ref: 'refs/heads/main',
  sha: '0123456789abcdef0123456789abcdef01234567',
  workflow: 'ship',
  workflowRef: 'acme/apps/.github/workflows/ship.yml@refs/heads/main',
  eventName: 'push',
  runId: '42',
  runAttempt: '1',
  actor: 'mona',
  runnerEnvironment: 'github-hosted',
};

const artifact: ArtifactDescription = {
  component: 'web',
  environments: ['staging', 'production'],
  contentDigest: `sha256:${'a'.repeat(64)}`,
  created: '2026-01-02T03:04:05Z',
  extra: { 'com.example.team': 'web' },
};

function code(change: Partial<ArtifactDescription>): string {
  try {
    artifactAnnotations(build, { ...artifact, ...change });
  } catch (error) {
    return error instanceof UserError ? error.code : 'not a UserError';
  }
  return 'accepted';
}

describe('artifactAnnotations', () => {
  it('says where the artifact comes from, without the attempt', () => {
    expect(artifactAnnotations(build, artifact)).toEqual({
      'org.opencontainers.image.created': '2026-01-02T03:04:05Z',
      'org.opencontainers.image.source': 'https://github.com/acme/apps',
      'org.opencontainers.image.revision': 'main@sha1:0123456789abcdef0123456789abcdef01234567',
      'org.opencontainers.image.title': 'web',
      'org.opencontainers.image.url': 'https://github.com/acme/apps/actions/runs/42',
      'dev.gitless.build-id': '42',
      'dev.gitless.workflow': 'ship',
      'dev.gitless.workflow-ref': 'acme/apps/.github/workflows/ship.yml@refs/heads/main',
      'dev.gitless.component': 'web',
      'dev.gitless.environments': 'production,staging',
      'dev.gitless.content-digest': `sha256:${'a'.repeat(64)}`,
      'com.example.team': 'web',
    });
    const again = { ...build, runAttempt: '2', actor: 'hubot' };
    expect(artifactAnnotations(again, artifact)).toEqual(artifactAnnotations(build, artifact));
  });

  it('names no environments when there are none', () => {
    expect(artifactAnnotations(build, { ...artifact, environments: [] })).not.toHaveProperty(
      'dev.gitless.environments',
    );
  });

  it.each([
    '2026-01-02T03:04:05+00:00',
    '2026-01-02T03:04:05.000Z',
    '2026-01-02',
    '2026-02-31T00:00:00Z',
    '2026-01-02T25:00:00Z',
    '',
  ])('refuses the creation time %j', (created) => {
    expect(code({ created })).toBe('BAD_CREATED');
  });

  it.each(['org.opencontainers.image.revision', 'dev.gitless.component', 'dev.gitless.anything'])(
    'does not let a user set %s',
    (key) => {
      expect(code({ extra: { [key]: 'x' } })).toBe('ANNOTATION_RESERVED');
    },
  );

  it.each([
    ['a value with a newline', { a: 'x\ny' }],
    ['a value with an escape sequence', { a: '\u001b[31m' }],
    ['a value that is not Unicode', { a: '\ud800' }],
    ['a long value', { a: 'é'.repeat(2049) }],
    ['an empty key', { '': 'x' }],
    ['a key with a space', { 'a b': 'x' }],
    ['a key of digits, which objects would not keep sorted', { '1': 'x' }],
    ['a long key', { ['k'.repeat(254)]: 'x' }],
    ['too many', Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, 'x']))],
  ])('refuses %s', (_name, extra) => {
    expect(code({ extra })).toBe('ANNOTATION_REFUSED');
  });

  it('takes values with = and other image annotations', () => {
    expect(code({ extra: { 'org.opencontainers.image.licenses': 'Apache-2.0', a: 'b=c' } })).toBe('accepted');
  });
});
