import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anchored } from '@gitless/pipeline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesClient, KubernetesError, Manifest } from './kubernetes-client.ts';
import { customResourceFolders } from './servers/flux.ts';
import { installCustomResources, type KubernetesApi, manifestsOf, startKubernetes } from './servers/kubernetes.ts';
import { createState, type ServerState } from './servers/process.ts';
import { waitFor } from './servers/wait-for.ts';

const POLICY = join(import.meta.dirname, '../../examples/fleet/fleet/policies/verified-sources.yaml');
const ISSUER = '^https://token\\.actions\\.githubusercontent\\.com$';
const SUBJECT = '^https://github\\.com/acme/apps/\\.github/workflows/ship\\.yml@refs/heads/main$';
const IDENTITY = { issuer: ISSUER, subject: SUBJECT };
const VERIFY = {
  provider: 'cosign',
  trustedRootSecretRef: { name: 'gitless-trusted-root' },
  matchOIDCIdentity: [IDENTITY],
};

/** An OCIRepository with this `spec.verify`; without, when it is `undefined`. */
function source(verify: Readonly<Record<string, unknown>> | undefined, name = 'asked'): Manifest {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'OCIRepository',
    metadata: { name, namespace: 'default' },
    spec: { interval: '5m', url: 'oci://ghcr.io/acme/web', ...(verify === undefined ? {} : { verify }) },
  };
}

const without = (field: keyof typeof VERIFY) =>
  Object.fromEntries(Object.entries(VERIFY).filter(([name]) => name !== field));
const signedBy = (...identities: readonly { issuer: string; subject: string }[]) => ({
  ...VERIFY,
  matchOIDCIdentity: identities,
});

const NO_VERIFY = 'spec.verify is missing';
const NO_ROOT = 'trustedRootSecretRef must name gitless-trusted-root';
const NOT_ONE = 'exactly one entry';
const NOT_LITERAL = 'one literal with its punctuation escaped';

const REFUSED: readonly [string, Manifest, string][] = [
  ['without verify', source(undefined), NO_VERIFY],
  ['with notation', source({ ...VERIFY, provider: 'notation', secretRef: { name: 'certificates' } }), NO_VERIFY],
  ['without a trusted root', source(without('trustedRootSecretRef')), NO_ROOT],
  ['with a trusted root of its own', source({ ...VERIFY, trustedRootSecretRef: { name: 'mine' } }), NO_ROOT],
  ['with a key beside the identity', source({ ...VERIFY, secretRef: { name: 'keys' } }), 'names keys'],
  ['without an identity', source(without('matchOIDCIdentity')), NOT_ONE],
  ['with an empty list of identities', source(signedBy()), NOT_ONE],
  ['with two identities', source(signedBy(IDENTITY, IDENTITY)), NOT_ONE],
  ...Object.entries({
    'no anchor at the start': SUBJECT.slice(1),
    'no anchor at the end': SUBJECT.slice(0, -1),
    'an escaped anchor at the end': `${SUBJECT.slice(0, -1)}\\$`,
    'an alternative': '^https://github\\.com/acme/apps$|^https://github\\.com/acme/infra$',
    'a group': '^https://github\\.com/acme/(apps|infra)$',
    'a wildcard': '^.*$',
    'an unescaped dot': '^https://github.com/acme/apps$',
    'a class': '^https://github\\.com/acme/[a-z]$',
    'a Perl class': '^https://github\\.com/acme/apps/\\.github/workflows/release\\.yml@refs/tags/v\\d$',
    'a flag': '^(?i)acme$',
    'nothing between the anchors': '^$',
    nothing: '',
  }).flatMap(([what, pattern]): [string, Manifest, string][] => [
    [`with ${what} in the subject`, source(signedBy({ issuer: ISSUER, subject: pattern })), NOT_LITERAL],
    [`with ${what} in the issuer`, source(signedBy({ issuer: pattern, subject: SUBJECT })), NOT_LITERAL],
  ]),
  ...['GitRepository', 'Bucket', 'HelmRepository', 'HelmChart', 'ExternalArtifact'].map(
    (kind): [string, Manifest, string] => [`that is a ${kind}`, otherSource(kind), 'only OCIRepository'],
  ),
];

/** The least that the API server takes for one of Flux's other sources. */
function otherSource(kind: string): Manifest {
  const specs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    GitRepository: { interval: '5m', url: 'https://git.example/acme/web.git' },
    Bucket: { interval: '5m', endpoint: 's3.example', bucketName: 'web' },
    HelmRepository: { interval: '5m', type: 'oci', url: 'oci://ghcr.io/acme' },
    HelmChart: { interval: '5m', chart: 'web', sourceRef: { kind: 'HelmRepository', name: 'charts' } },
    ExternalArtifact: { sourceRef: { kind: 'Anything', name: 'web' } },
  };
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind,
    metadata: { name: 'asked', namespace: 'default' },
    spec: specs[kind],
  };
}

describe('the fleet example admits', () => {
  let state: ServerState;
  let api: KubernetesApi;
  let client: KubernetesClient;

  beforeAll(async () => {
    state = await createState('fleet');
    api = await startKubernetes(state);
    client = api.client;
    await installCustomResources(client, await customResourceFolders());
    // What was there before the policy.
    await client.apply(source(undefined, 'older'));
    for (const manifest of manifestsOf(await readFile(POLICY, 'utf8'))) {
      await client.apply(manifest);
    }
    await waitFor('the policy is in force', async () => ((await refusal(source(undefined))) === '' ? undefined : true));
  });
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
  afterAll(async ({}, suite) => {
    await api?.stop();
    await state?.close(suite);
  });

  /** What the API server says, without a trace left; empty when it admits the object. */
  async function refusal(manifest: Manifest): Promise<string> {
    return client.apply(manifest, { dryRun: true }).then(
      () => '',
      (error: KubernetesError) => {
        expect(error.status).toBe(403);
        return error.message;
      },
    );
  }

  it('a source that names one signer and the pinned root', async () => {
    expect(await refusal(source(VERIFY))).toBe('');
  });

  it.each([
    'https://github.com/acme/a+b(c)[d]{e}^$|?*/.github/workflows/ship.yml@refs/heads/main',
    'https://gitlab.example/acme/shop//.gitlab-ci.yml@refs/heads/main',
    'back\\slash and blank',
  ])('%s as we anchor it', async (identity) => {
    expect(await refusal(source(signedBy({ issuer: ISSUER, subject: anchored(identity) })))).toBe('');
  });

  it.each(REFUSED)('no source %s', async (_what, manifest, reason) => {
    expect(await refusal(manifest)).toContain(reason);
  });

  it('no change that takes the verification away', async () => {
    await client.apply(source(VERIFY, 'changed'));
    expect(await refusal(source(without('matchOIDCIdentity'), 'changed'))).toContain(NOT_ONE);
  });

  it('that an older source without verification is deleted, though Flux holds it by a finalizer', async () => {
    const older = {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'OCIRepository',
      name: 'older',
      namespace: 'default',
    };
    const finalizers = (values: readonly string[]) => client.merge(older, { metadata: { finalizers: values } });
    await expect(finalizers(['finalizers.fluxcd.io'])).rejects.toThrow(NO_VERIFY);
    await client.merge(older, { metadata: { finalizers: ['finalizers.fluxcd.io'] }, spec: { verify: VERIFY } });
    await client.remove(older);
    await finalizers([]);
    expect(await client.get(older)).toBeUndefined();
  });
});
