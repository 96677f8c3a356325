import { type Digest, PREDICATE, type Statement, sha256, statementAbout } from '@gitless/core';
import { createRegistryClient, MEDIA_TYPE, type RegistryClient } from '@gitless/oci';
import { createSigner, parseTrustedRoot, type Signer } from '@gitless/signing';
import {
  startIssuer,
  startRegistry,
  startSigstore,
  type TestIssuer,
  type TestRegistry,
  type TestSigstore,
} from '@gitless/testkit';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testContext } from './fixtures.ts';
import { bundleReferrer } from './layout-store.ts';
import { type Identity, readEvidence } from './verify-artifact.ts';

const DIGEST: Digest = `sha256:${'d'.repeat(64)}`;
const STRANGER: Identity = { issuer: 'https://issuer', subject: 'https://github.com/evil/shop/ship.yml@main' };

describe('readEvidence', () => {
  const REPOSITORY = 'acme/web';
  let issuer: TestIssuer;
  let sigstore: TestSigstore;
  let registry: TestRegistry;
  let client: RegistryClient;
  let signer: Signer;
  let trust: Parameters<typeof readEvidence>[3];
  const context = testContext();

  beforeAll(async () => {
    issuer = await startIssuer();
    sigstore = await startSigstore({ issuer });
    const root = parseTrustedRoot(Buffer.from(sigstore.trustedRoot), 'root');
    const answer = await fetch(`${issuer.tokenRequestUrl}&audience=sigstore`, {
      headers: { authorization: `Bearer ${issuer.requestToken}` },
    });
    const { value: jwt } = v.parse(v.object({ value: v.string() }), await answer.json());
    signer = await createSigner(context, {
      services: sigstore,
      trustedRoot: root,
      jwt,
      tokenSubject: 'repo:acme/shop:ref:refs/heads/main',
    });
    trust = { root, identities: [{ issuer: issuer.url, subject: signer.certificate.subject }] };
  });
  beforeEach(async () => {
    await registry?.close();
    registry = await startRegistry();
    client = createRegistryClient(context, {
      registry: registry.host,
      credentials: { kind: 'anonymous' },
      plainHttp: true,
    });
  });
  afterAll(() => Promise.all([issuer.close(), sigstore.close(), registry.close()]));

  const subject = { mediaType: MEDIA_TYPE.imageManifest, digest: DIGEST, size: 7 };

  async function attach(statement: Statement, layers = 1): Promise<Digest> {
    const { bundle, verified } = await signer.sign(statement);
    const referrer = bundleReferrer(subject, {
      bytes: bundle,
      predicateType: statement.predicateType,
      signedAt: verified.signedAt,
    });
    for (const blob of referrer.blobs.slice(0, 2)) {
      await client.putBlob(REPOSITORY, blob, sha256(blob));
    }
    if (layers === 1) {
      await client.putReferrers(REPOSITORY, DIGEST, [{ bytes: referrer.manifest, descriptor: referrer.descriptor }]);
      return referrer.descriptor.digest;
    }
    const manifest = v.parse(
      v.looseObject({ layers: v.array(v.unknown()) }),
      JSON.parse(Buffer.from(referrer.manifest).toString()),
    );
    return putManifest({ ...manifest, layers: [...manifest.layers, ...manifest.layers] }, MEDIA_TYPE.imageManifest);
  }

  async function putManifest(manifest: object, mediaType: string): Promise<Digest> {
    const bytes = Buffer.from(JSON.stringify(manifest));
    await client.putManifest(REPOSITORY, sha256(bytes), mediaType, bytes);
    return sha256(bytes);
  }

  const read = (identities = trust.identities) =>
    readEvidence(context, client, { repository: REPOSITORY, digest: DIGEST }, { ...trust, identities });

  it('finds nothing where nothing refers to the digest', async () => {
    expect(await read()).toEqual({ referrers: [], rejected: [] });
  });

  it('verifies every bundle and tells who signed', async () => {
    const signature = await attach(statementAbout(DIGEST, PREDICATE.signature, {}));
    const { referrers, rejected } = await read();
    expect(rejected).toEqual([]);
    expect(referrers.map(({ descriptor, verified }) => [descriptor.digest, verified.certificate.subject])).toEqual([
      [signature, signer.certificate.subject],
    ]);
    expect(await read([STRANGER])).toMatchObject({
      referrers: [],
      rejected: [{ digest: signature, code: 'IDENTITY_MISMATCH' }],
    });
  });

  it('reads what is known once, and everything else', async () => {
    const signature = await attach(statementAbout(DIGEST, PREDICATE.signature, {}));
    const { referrers: known } = await read();
    const sbom = await attach(statementAbout(DIGEST, PREDICATE.sbom, {}));
    const before = registry.requests.length;
    const where = { repository: REPOSITORY, digest: DIGEST };
    const { referrers } = await readEvidence(context, client, where, trust, known);
    expect(referrers.map(({ descriptor }) => descriptor.digest).sort()).toEqual([signature, sbom].sort());
    const manifests = registry.requests.slice(before).filter(({ path }) => path.includes('/manifests/sha256:'));
    expect(manifests.map(({ path }) => path)).toEqual([`/v2/${REPOSITORY}/manifests/${sbom}`]);
  });

  it('rejects a bundle about something else and a manifest with two of them', async () => {
    const other: Digest = `sha256:${'e'.repeat(64)}`;
    const foreign = await attach(statementAbout(other, PREDICATE.signature, {}));
    const double = await attach(statementAbout(DIGEST, PREDICATE.signature, {}), 2);
    const { referrers, rejected } = await read();
    expect(referrers).toEqual([]);
    expect(new Map(rejected.map(({ digest, code }) => [digest, code]))).toEqual(
      new Map([
        [foreign, 'SUBJECT_MISMATCH'],
        [double, 'BUNDLE_INVALID'],
      ]),
    );
  });

  it('does not read a bundle that claims to be huge', async () => {
    const bytes = Buffer.from('x');
    await client.putBlob(REPOSITORY, bytes, sha256(bytes));
    const layer = { mediaType: MEDIA_TYPE.sigstoreBundle, digest: sha256(bytes), size: 2 ** 31 };
    const referrer = await putManifest(
      { schemaVersion: 2, mediaType: MEDIA_TYPE.imageManifest, config: layer, layers: [layer], subject },
      MEDIA_TYPE.imageManifest,
    );
    const from = registry.requests.length;
    expect(await read()).toMatchObject({ referrers: [], rejected: [{ digest: referrer, code: 'BUNDLE_INVALID' }] });
    expect(registry.requests.slice(from).filter(({ path }) => path.includes('/blobs/'))).toEqual([]);
  });

  it('passes over referrers that are no bundles: other artifacts, indexes', async () => {
    const config = {
      mediaType: MEDIA_TYPE.emptyConfig,
      digest: `sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a`,
      size: 2,
    } as const;
    await client.putBlob(REPOSITORY, Buffer.from('{}'), config.digest);
    await putManifest(
      {
        schemaVersion: 2,
        mediaType: MEDIA_TYPE.imageManifest,
        artifactType: 'application/vnd.cncf.notary.signature',
        config,
        layers: [config],
        subject,
      },
      MEDIA_TYPE.imageManifest,
    );
    await putManifest(
      { schemaVersion: 2, mediaType: MEDIA_TYPE.imageIndex, manifests: [], subject },
      MEDIA_TYPE.imageIndex,
    );
    expect(await client.listReferrers(REPOSITORY, DIGEST)).toHaveLength(2);
    expect(await read()).toEqual({ referrers: [], rejected: [] });
  });

  it.each([
    [401, 'REGISTRY_UNAUTHORIZED'],
    [403, 'REGISTRY_DENIED'],
    [429, 'REGISTRY_ERROR'],
    [500, 'REGISTRY_ERROR'],
  ])('never takes the answer %i for "not signed"', async (status, code) => {
    await attach(statementAbout(DIGEST, PREDICATE.signature, {}));
    for (const part of ['/referrers/', '/blobs/', '/manifests/']) {
      registry.onRequest = ({ path }) => (path.includes(part) ? { kind: 'status', status } : undefined);
      await expect(read()).rejects.toMatchObject({ code });
    }
  });

  it('never takes a lost connection or a listed referrer that is gone for "not signed"', async () => {
    const digest = await attach(statementAbout(DIGEST, PREDICATE.signature, {}));
    registry.onRequest = ({ path }) => (path.includes('/referrers/') ? { kind: 'reset' } : undefined);
    await expect(read()).rejects.toMatchObject({ code: 'HTTP_UNREACHABLE' });
    const body = JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN' }] });
    registry.onRequest = ({ path }) => (path.endsWith(digest) ? { kind: 'status', status: 404, body } : undefined);
    await expect(read()).rejects.toMatchObject({ code: 'REFERRER_MISSING' });
  });

  it('reads at most 200 referrers', async () => {
    const manifests = Array.from({ length: 201 }, (_, index) => ({
      mediaType: MEDIA_TYPE.imageManifest,
      digest: `sha256:${index.toString(16).padStart(64, '0')}`,
      size: 1,
    }));
    const body = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.imageIndex, manifests });
    const headers = { 'content-type': MEDIA_TYPE.imageIndex };
    registry.onRequest = ({ path }) =>
      path.includes('/referrers/') ? { kind: 'status', status: 200, headers, body } : undefined;
    await expect(read()).rejects.toMatchObject({ code: 'TOO_MANY_REFERRERS' });
  });
});
