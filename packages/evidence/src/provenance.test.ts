import { type Build, sha256, UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import {
  BUILD_TYPE,
  completeProvenance,
  type ProvenanceInput,
  provenancePredicate,
  signedContent,
} from './provenance.ts';

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
  runAttempt: '3',
  actor: 'mona',
  runnerEnvironment: 'github-hosted',
};

const input: ProvenanceInput = {
  build,
  component: 'web',
  engine: 'helm',
  environments: ['staging', 'production'],
  annotations: { 'com.example.team': 'web' },
  flags: { 'path-prefix': '' },
  tools: [
    { name: 'gitless', version: '0.1.0' },
    { name: 'helm', version: '4.2.4+g1', digest: sha256('helm'), reportedBy: 'render job' },
  ],
  sbom: sha256('sbom'),
  renderReport: sha256('report'),
};

const run = { builderId: 'https://github.com/acme/apps/.github/workflows/ship.yml@refs/heads/main', build };

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof UserError ? error.code : 'not a UserError';
  }
  return 'accepted';
}

describe('provenancePredicate', () => {
  it('says what was built from what, before it is signed', () => {
    expect(provenancePredicate(input)).toEqual({
      buildDefinition: {
        buildType: 'https://gitless.dev/build-types/package/v1',
        externalParameters: {
          component: 'web',
          rendered: true,
          engine: 'helm',
          environments: ['staging', 'production'],
          annotations: { 'com.example.team': 'web' },
          flags: { 'path-prefix': '' },
          workflow: 'acme/apps/.github/workflows/ship.yml@refs/heads/main',
        },
        internalParameters: {
          github: {
            actor: 'mona',
            event_name: 'push',
            repository_id: '1',
            repository_owner_id: '2',
            runner_environment: 'github-hosted',
          },
        },
        resolvedDependencies: [
          {
            uri: 'git+https://github.com/acme/apps@refs/heads/main',
            digest: { gitCommit: '0123456789abcdef0123456789abcdef01234567' },
          },
          { name: 'gitless', uri: 'pkg:generic/gitless@0.1.0' },
          {
            name: 'helm',
            uri: 'pkg:generic/helm@4.2.4%2Bg1',
            digest: { sha256: sha256('helm').slice(7) },
            annotations: { reportedBy: 'render job' },
          },
        ],
      },
      runDetails: {
        byproducts: [
          { name: 'sbom', mediaType: 'application/vnd.cyclonedx+json', digest: { sha256: sha256('sbom').slice(7) } },
          {
            name: 'render-report',
            digest: { sha256: sha256('report').slice(7) },
            annotations: { reportedBy: 'render job' },
          },
        ],
      },
    });
  });

  it('names the directory when one was packed as it is', () => {
    const { engine: _engine, renderReport: _report, ...rest } = input;
    expect(provenancePredicate({ ...rest, path: 'deploy' })).toMatchObject({
      buildDefinition: { externalParameters: { path: 'deploy' } },
      runDetails: { byproducts: [{ name: 'sbom' }] },
    });
  });
});

describe('completeProvenance', () => {
  it('adds builder and attempt, and changes nothing else', () => {
    const draft = provenancePredicate(input);
    const complete = completeProvenance(draft, run);
    expect(complete).toMatchObject(draft);
    expect(complete['runDetails']).toMatchObject({
      builder: { id: 'https://github.com/acme/apps/.github/workflows/ship.yml@refs/heads/main' },
      metadata: { invocationId: 'https://github.com/acme/apps/actions/runs/42/attempts/3' },
    });
  });

  it.each([
    ['nothing', {}],
    ['another build type', { buildDefinition: { buildType: 'https://example.com' }, runDetails: { byproducts: [] } }],
    ['no run details', { buildDefinition: { buildType: BUILD_TYPE } }],
  ])('refuses %s', (_name, predicate) => {
    expect(refusal(() => completeProvenance(predicate, run))).toBe('BAD_PROVENANCE');
  });
});

describe('signedContent', () => {
  it('reads the component back', () => {
    const signed = JSON.parse(JSON.stringify(completeProvenance(provenancePredicate(input), run)));
    expect(signedContent(signed).component).toBe('web');
  });

  const complete = completeProvenance(provenancePredicate(input), run);
  it.each([
    ['an unsigned draft', provenancePredicate(input)],
    ['a component that is no name', completeProvenance(provenancePredicate({ ...input, component: '../x' }), run)],
    [
      'an environment that is no name',
      completeProvenance(provenancePredicate({ ...input, environments: ['a\nevil: true'] }), run),
    ],
    [
      'another build type',
      { ...complete, buildDefinition: { buildType: 'https://actions.github.io/buildtypes/workflow/v1' } },
    ],
    ['a list', []],
    ['null', null],
  ])('refuses %s', (_name, predicate) => {
    expect(refusal(() => signedContent(predicate).component)).toBe('BAD_PROVENANCE');
  });
});
