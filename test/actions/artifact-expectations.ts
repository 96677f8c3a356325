import { expect } from 'vitest';
import {
  at,
  blobOf,
  digestOf,
  json,
  listAt,
  type RawReferrer,
  readGzip,
  readUstar,
  referrersOf,
  storedManifest,
  textAt,
} from './raw.ts';
import { CHECKS, PROVENANCE, SBOM, SHIP_WORKFLOW, SIGNATURE } from './steps.ts';
import type { World } from './support.ts';

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const RUN = 'https://github.com/acme/shop/actions/runs/16234567890';
export const SHIPPER = `https://github.com/${SHIP_WORKFLOW}`;

export interface ExpectedArtifact {
  readonly component: string;
  readonly repository: string;
  readonly digest: string;
  /** Path in the archive → content, files only. */
  readonly files: Readonly<Record<string, string>>;
  readonly environments: string;
  readonly path: string;
}

/** Everything that is in the registry about one shipped component, against the specifications. */
export function expectArtifact(world: World, expected: ExpectedArtifact): void {
  const { registry } = world;
  const stored = storedManifest(registry, expected.repository, expected.digest);
  expect(digestOf(stored.bytes)).toBe(expected.digest);
  expect(stored.mediaType).toBe(MANIFEST);
  const manifest = json(stored.bytes);
  const content = readGzip(blobOf(registry, at(manifest, 'layers', 0)));
  expectContent(content, expected.files);
  // flux.md §2: the bytes as the Flux CLI writes them, with the SBOM as second layer.
  const annotations = {
    'dev.gitless.build-id': '16234567890',
    'dev.gitless.component': expected.component,
    'dev.gitless.content-digest': digestOf(content.content),
    'dev.gitless.environments': expected.environments,
    'dev.gitless.workflow': 'Ship',
    'dev.gitless.workflow-ref': SHIP_WORKFLOW,
    'org.opencontainers.image.created': '2026-01-02T03:04:05Z',
    'org.opencontainers.image.revision': `main@sha1:${world.workspace.sha}`,
    'org.opencontainers.image.source': 'https://github.com/acme/shop',
    'org.opencontainers.image.title': expected.component,
    'org.opencontainers.image.url': RUN,
  };
  const layer = (index: number, mediaType: string) => ({
    mediaType,
    size: at(manifest, 'layers', index, 'size'),
    digest: at(manifest, 'layers', index, 'digest'),
  });
  expect(Buffer.from(stored.bytes).toString()).toBe(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: 'application/vnd.cncf.flux.config.v1+json',
        size: 115,
        digest: 'sha256:5b943e2b943f6c81dbbd4e2eca5121f4fcc39139e3d1219d6d89bd925b77d9fe',
      },
      layers: [layer(0, 'application/vnd.cncf.flux.content.v1.tar+gzip'), layer(1, 'application/vnd.cyclonedx+json')],
      annotations,
    }),
  );
  expect(blobOf(registry, at(manifest, 'config')).toString()).toBe(
    '{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"layers","diff_ids":null},"config":{}}',
  );
  const sbom = json(blobOf(registry, at(manifest, 'layers', 1)));
  const types = [SIGNATURE, PROVENANCE, SBOM, CHECKS];
  const referrers = referrersOf(registry, expected.repository, expected.digest).sort(
    (a, b) => types.indexOf(a.predicateType) - types.indexOf(b.predicateType),
  );
  for (const referrer of referrers) {
    const { component, digest } = expected;
    expectReferrer(referrer, { component, digest, size: stored.bytes.length });
  }
  expect(referrers.map(({ predicateType }) => predicateType)).toEqual(types);
  expect(referrers.map(({ signer }) => signer)).toEqual([SHIPPER, SHIPPER, SHIPPER, SHIPPER]);
  const [signature, provenance, bom, checks] = referrers.map(({ statement }) => at(statement, 'predicate'));
  expect(signature).toEqual({});
  expectProvenance(provenance, expected, world.workspace.sha, textAt(manifest, 'layers', 1, 'digest'));
  expect(bom).toEqual(sbom);
  expectSbom(sbom, expected.files, digestOf(content.content));
  expect(checks).toMatchObject({ result: 'PASSED' });
  expect(listAt(checks, 'passedTests').length).toBeGreaterThan(0);
}

/** flux.md §3, with modes normalised: what `flux build artifact` writes under umask 022. */
function expectContent(layer: { header: string; content: Buffer }, files: Readonly<Record<string, string>>): void {
  // Magic, deflate, no flags, no time, default level; the operating system is the compressor's constant, not the runner's.
  expect(layer.header).toBe('1f8b0800000000000003');
  const folders = Object.keys(files).flatMap((path) => {
    const names = path.split('/').slice(0, -1);
    return names.map((_, index) => names.slice(0, index + 1).join('/'));
  });
  const head = { owner: '0000000:0000000::', mtime: '00000000000', magic: 'ustar\u000000' };
  const expected = [...new Set(folders), ...Object.keys(files)].sort().map((name) => {
    const content = files[name];
    return content === undefined
      ? { name, ...head, mode: '0000755', type: '5', content: '' }
      : { name, ...head, mode: '0000644', type: '0', content };
  });
  expect(readUstar(layer.content)).toEqual([
    { name: '.', ...head, mode: '0000755', type: '5', content: '' },
    ...expected,
  ]);
}

/** sigstore.md §5.1: a referrer in the shape that cosign v3 writes, with a DSSE envelope inside. */
export function expectReferrer(
  referrer: RawReferrer,
  subject: { readonly component: string; readonly digest: string; readonly size: number },
): void {
  const { manifest, bundle, statement, predicateType } = referrer;
  expect(manifest).toEqual({
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType: BUNDLE,
    config: {
      mediaType: 'application/vnd.oci.empty.v1+json',
      artifactType: BUNDLE,
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      size: 2,
    },
    layers: [{ mediaType: BUNDLE, digest: expect.any(String), size: expect.any(Number) }],
    subject: { mediaType: MANIFEST, digest: subject.digest, size: subject.size },
    annotations: {
      'org.opencontainers.image.created': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicateType,
    },
  });
  expect(at(bundle, 'mediaType')).toBe(BUNDLE);
  expect(bundle).not.toHaveProperty('messageSignature');
  expect(at(bundle, 'dsseEnvelope', 'payloadType')).toBe('application/vnd.in-toto+json');
  expect(listAt(bundle, 'dsseEnvelope', 'signatures')).toHaveLength(1);
  expect(referrer.isSigned).toBe(true);
  expect(listAt(bundle, 'verificationMaterial', 'tlogEntries')).toHaveLength(1);
  expect(listAt(bundle, 'verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps')).toHaveLength(1);
  expect(statement).toEqual({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: subject.component, digest: { sha256: subject.digest.slice('sha256:'.length) } }],
    predicateType,
    predicate: expect.any(Object),
  });
}

/** slsa.dev/spec/v1.2/build-provenance. */
function expectProvenance(predicate: unknown, expected: ExpectedArtifact, sha: string, sbom: string): void {
  expect(predicate).toMatchObject({
    buildDefinition: {
      buildType: 'https://gitless.dev/build-types/package/v1',
      externalParameters: {
        component: expected.component,
        path: expected.path,
        environments: expected.environments.split(','),
        workflow: SHIP_WORKFLOW,
      },
      internalParameters: { github: { actor: 'octocat', event_name: 'push', runner_environment: 'github-hosted' } },
      resolvedDependencies: [{ uri: 'git+https://github.com/acme/shop@refs/heads/main', digest: { gitCommit: sha } }],
    },
    runDetails: { builder: { id: SHIPPER }, metadata: { invocationId: `${RUN}/attempts/1` } },
  });
  expect(listAt(predicate, 'runDetails', 'byproducts')).toContainEqual({
    name: 'sbom',
    mediaType: 'application/vnd.cyclonedx+json',
    digest: { sha256: sbom.slice('sha256:'.length) },
  });
}

/** cyclonedx.org/docs/1.6/json: each file with its digest, each image where it is named. */
function expectSbom(sbom: unknown, files: Readonly<Record<string, string>>, contentDigest: string): void {
  expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
  expect(listAt(sbom, 'metadata', 'component', 'properties')).toContainEqual({
    name: 'dev.gitless:content-digest',
    value: contentDigest,
  });
  const components = listAt(sbom, 'components');
  const listed = components.filter((entry) => at(entry, 'type') === 'file');
  const hashes = listed.map((entry) => [textAt(entry, 'name'), `sha256:${textAt(entry, 'hashes', 0, 'content')}`]);
  expect(Object.fromEntries(hashes)).toEqual(
    Object.fromEntries(Object.entries(files).map(([path, content]) => [path, digestOf(content)])),
  );
  const images = components.filter((entry) => at(entry, 'type') === 'container');
  const named = images
    .flatMap((entry) => listAt(entry, 'evidence', 'occurrences'))
    .map((place) => at(place, 'location'));
  expect([...named].sort()).toEqual(Object.keys(files).sort());
}
