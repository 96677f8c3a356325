import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Build, type Digest, sha256 } from '@gitless/core';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { findImages } from './images.ts';
import { cyclonedxSbom, type SbomInput } from './sbom.ts';

const DIGEST: Digest = `sha256:${'a'.repeat(64)}`;

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

const input: SbomInput = {
  build,
  component: 'web',
  contentDigest: sha256('the tar'),
  created: '2026-01-02T03:04:05Z',
  files: [
    { path: 'web/staging/secret.sops.json', digest: sha256('b'), objects: [] },
    {
      path: 'web/staging/apps-deployment-web.yaml',
      digest: sha256('a'),
      objects: [
        { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'apps', name: 'web' },
        { apiVersion: 'v1', kind: 'Namespace', name: 'apps' },
      ],
    },
  ],
  images: findImages([
    {
      file: 'web/staging/apps-deployment-web.yaml',
      value: { spec: { containers: [{ image: 'nginx:1.27' }, { image: `ghcr.io/acme/web@${DIGEST}` }] } },
    },
  ]),
  tools: [
    { name: 'helm', version: '4.2.4', digest: sha256('helm'), reportedBy: 'render job' },
    { name: 'gitless', version: '0.1.0' },
  ],
};

function parsed(change: Partial<SbomInput> = {}): Record<string, unknown> {
  return JSON.parse(Buffer.from(cyclonedxSbom({ ...input, ...change })).toString());
}

function schemaOf(name: string): object {
  const library = dirname(fileURLToPath(import.meta.resolve('@cyclonedx/cyclonedx-library/package.json')));
  return JSON.parse(readFileSync(join(library, 'res', 'schema', `${name}.SNAPSHOT.schema.json`), 'utf8'));
}

describe('cyclonedxSbom', () => {
  it('is valid CycloneDX 1.6', () => {
    // Formats are not checked: ajv brings none.
    const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
    ajv.addSchema(schemaOf('spdx'), 'http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json');
    ajv.addSchema(schemaOf('jsf-0.82'), 'http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json');
    const validate = ajv.compile(schemaOf('bom-1.6'));
    validate(parsed());
    expect(validate.errors).toBeNull();
    validate(parsed({ files: [], images: [], tools: [] }));
    expect(validate.errors).toBeNull();
    expect(validate({ ...parsed(), components: [{ type: 'file' }] })).toBe(false);
  });

  it('describes artifact, files, images and tools', () => {
    const bom = parsed();
    expect(bom).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: expect.stringMatching(
        /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      metadata: {
        timestamp: '2026-01-02T03:04:05.000Z',
        component: {
          'bom-ref': 'component:web',
          type: 'application',
          name: 'web',
          version: 'main@sha1:0123456789abcdef0123456789abcdef01234567',
          properties: [{ name: 'dev.gitless:content-digest', value: sha256('the tar') }],
          externalReferences: [
            { type: 'vcs', url: 'git+https://github.com/acme/apps@0123456789abcdef0123456789abcdef01234567' },
          ],
        },
        tools: {
          components: [
            { type: 'application', name: 'gitless', version: '0.1.0', purl: 'pkg:generic/gitless@0.1.0' },
            {
              name: 'helm',
              version: '4.2.4',
              properties: [{ name: 'dev.gitless:reported-by', value: 'render job' }],
            },
          ],
        },
      },
    });
    expect(bom['components']).toEqual([
      {
        'bom-ref': 'file:web/staging/apps-deployment-web.yaml',
        type: 'file',
        name: 'web/staging/apps-deployment-web.yaml',
        hashes: [{ alg: 'SHA-256', content: sha256('a').slice(7) }],
        properties: [
          { name: 'dev.gitless:apiVersion', value: 'apps/v1' },
          { name: 'dev.gitless:kind', value: 'Deployment' },
          { name: 'dev.gitless:namespace', value: 'apps' },
          { name: 'dev.gitless:name', value: 'web' },
          { name: 'dev.gitless:apiVersion', value: 'v1' },
          { name: 'dev.gitless:kind', value: 'Namespace' },
          { name: 'dev.gitless:name', value: 'apps' },
        ],
      },
      {
        'bom-ref': 'file:web/staging/secret.sops.json',
        type: 'file',
        name: 'web/staging/secret.sops.json',
        hashes: [{ alg: 'SHA-256', content: sha256('b').slice(7) }],
      },
      {
        'bom-ref': `image:ghcr.io/acme/web@${DIGEST}`,
        type: 'container',
        name: 'ghcr.io/acme/web',
        version: DIGEST,
        purl: `pkg:oci/web@sha256%3A${'a'.repeat(64)}?repository_url=ghcr.io%2Facme%2Fweb`,
        properties: [
          { name: 'dev.gitless:reference', value: `ghcr.io/acme/web@${DIGEST}` },
          { name: 'dev.gitless:pinned', value: 'true' },
        ],
        evidence: {
          occurrences: [
            { location: 'web/staging/apps-deployment-web.yaml', additionalContext: 'spec.containers[1].image' },
          ],
        },
      },
      {
        'bom-ref': 'image:nginx:1.27',
        type: 'container',
        name: 'nginx',
        version: '1.27',
        properties: [
          { name: 'dev.gitless:reference', value: 'nginx:1.27' },
          { name: 'dev.gitless:pinned', value: 'false' },
        ],
        evidence: {
          occurrences: [
            { location: 'web/staging/apps-deployment-web.yaml', additionalContext: 'spec.containers[0].image' },
          ],
        },
      },
    ]);
  });

  it('links the artifact to its files and each file to the images it names', () => {
    expect(parsed()['dependencies']).toEqual([
      {
        ref: 'component:web',
        dependsOn: ['file:web/staging/apps-deployment-web.yaml', 'file:web/staging/secret.sops.json'],
      },
      {
        ref: 'file:web/staging/apps-deployment-web.yaml',
        dependsOn: [`image:ghcr.io/acme/web@${DIGEST}`, 'image:nginx:1.27'],
      },
      { ref: 'file:web/staging/secret.sops.json' },
      { ref: `image:ghcr.io/acme/web@${DIGEST}` },
      { ref: 'image:nginx:1.27' },
    ]);
  });

  it('has the same bytes for the same content in any order, and for any attempt', () => {
    const shuffled = {
      ...input,
      build: { ...build, runAttempt: '2', actor: 'hubot' },
      files: input.files.toReversed(),
      images: input.images.toReversed(),
      tools: input.tools.toReversed(),
    };
    expect(sha256(cyclonedxSbom(shuffled))).toBe(sha256(cyclonedxSbom(input)));
  });

  it('has the same bytes whichever CPU the tools were built for', () => {
    const tools = input.tools.map((tool) => ({ ...tool, digest: sha256(`${tool.name} for another CPU`) }));
    expect(cyclonedxSbom({ ...input, tools })).toEqual(cyclonedxSbom(input));
  });

  it('has another serial number for other content', () => {
    const numbers = [{}, { contentDigest: DIGEST }, { images: [] }, { component: 'api' }].map(
      (change) => parsed(change)['serialNumber'],
    );
    expect(new Set(numbers).size).toBe(4);
  });
});
