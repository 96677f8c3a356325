import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectArtifact, expectReferrer, SHIPPER } from './artifact-expectations.ts';
import { at, blobOf, json, listAt, referrersOf, storedManifest } from './raw.ts';
import { CHECKS, deployment, PROMOTE_WORKFLOW, PROMOTION, PROVENANCE, promote, SBOM, SIGNATURE } from './steps.ts';
import { requireSuccess, startWorld, type World } from './support.ts';

const REPOSITORY = 'acme/web';
const PROMOTER = `https://github.com/${PROMOTE_WORKFLOW}`;

describe('what one component leaves in the registry', () => {
  let world: World;
  let digest: string;

  beforeAll(async () => {
    world = await startWorld({
      files: { 'deploy/staging/web.yaml': deployment('web'), 'deploy/production/web.yaml': deployment('web') },
    });
    requireSuccess(await world.run('render', { name: 'web', path: 'deploy', engine: 'plain' }));
    requireSuccess(await world.run('package'));
    requireSuccess(await world.run('sign'));
    const pushed = requireSuccess(await world.run('push'));
    digest = pushed.outputs['digest'] ?? '';
    expect(pushed.outputs).toMatchObject({
      digests: JSON.stringify({ web: digest }),
      reference: `${world.registry.host}/${REPOSITORY}@${digest}`,
      pushed: 'true',
    });
  });
  afterAll(() => world.close());

  it('is a Flux artifact with its SBOM, and cosign’s form of signature, provenance, SBOM and checks', () => {
    expectArtifact(world, {
      component: 'web',
      repository: REPOSITORY,
      digest,
      path: 'deploy',
      environments: 'production,staging',
      files: {
        'web/production/deployment-web.yaml': deployment('web'),
        'web/staging/deployment-web.yaml': deployment('web'),
      },
    });
    expect(world.registry.manifests(REPOSITORY)).toHaveLength(5);
  });

  it('has a content layer that tar and gzip of the system read', async () => {
    const manifest = json(storedManifest(world.registry, REPOSITORY, digest).bytes);
    const directory = await mkdtemp(join(world.temp, 'extracted-'));
    await writeFile(join(directory, 'content.tgz'), blobOf(world.registry, at(manifest, 'layers', 0)));
    await promisify(execFile)('tar', ['--extract', '--gzip', '--file=content.tgz'], { cwd: directory });
    expect(await readFile(join(directory, 'web/staging/deployment-web.yaml'), 'utf8')).toBe(deployment('web'));
    await rm(directory, { recursive: true });
  });

  it('is tagged last: nothing names the digest before every referrer was read back', () => {
    const { registry, workspace } = world;
    expect(registry.tagHistory.map(({ repository, tag, digest: tagged }) => [repository, tag, tagged])).toEqual([
      [REPOSITORY, `b-${workspace.sha.slice(0, 12)}-16234567890`, digest],
      [REPOSITORY, 'latest', digest],
    ]);
    const requests = registry.requests.map(({ method, path }) => `${method} ${path}`);
    const firstTag = requests.findIndex((request) => /^PUT .*\/manifests\/(?!sha256[:-])/.test(request));
    const before = requests.slice(0, firstTag);
    for (const { digest: referrer, manifest } of referrersOf(registry, REPOSITORY, digest)) {
      expect(before).toContain(`PUT /v2/${REPOSITORY}/manifests/${referrer}`);
      expect(before).toContain(`GET /v2/${REPOSITORY}/manifests/${referrer}`);
      expect(before).toContain(`GET /v2/${REPOSITORY}/blobs/${at(manifest, 'layers', 0, 'digest')}`);
    }
    expect(before.filter((request) => request === `GET /v2/${REPOSITORY}/manifests/${digest}`)).not.toHaveLength(0);
  });

  it('gets a second signature and a record by the promoting workflow, then version and channel', async () => {
    const promoted = requireSuccess(
      await promote(world, {
        from: digest,
        components: 'web',
        version: 'v1.0.0',
        reason: 'release 1',
        channel: 'stable',
      }),
    );
    expect(promoted.outputs).toMatchObject({ digest, promoted: 'true', 'previous-digest': '' });
    const { registry } = world;
    const size = storedManifest(registry, REPOSITORY, digest).bytes.length;
    // Both are signed and pushed at once: the record is the later one by name only.
    const added = referrersOf(registry, REPOSITORY, digest)
      .slice(4)
      .sort((a, b) => (a.predicateType === PROMOTION ? 1 : 0) - (b.predicateType === PROMOTION ? 1 : 0));
    for (const referrer of added) {
      expectReferrer(referrer, { component: 'web', digest, size });
    }
    expect(added.map(({ predicateType, signer }) => [predicateType, signer])).toEqual([
      [SIGNATURE, PROMOTER],
      [PROMOTION, PROMOTER],
    ]);
    const place = `${registry.host}/${REPOSITORY}`;
    expect(at(added[1]?.statement, 'predicate')).toEqual({
      schema: 1,
      component: 'web',
      version: 'v1.0.0',
      channel: 'stable',
      from: { repository: place, digest },
      to: { repository: place },
      promotedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      promotedBy: {
        actor: 'octocat',
        run: 'https://github.com/acme/shop/actions/runs/16234567890/attempts/1',
        workflowRef: PROMOTE_WORKFLOW,
      },
      reason: 'release 1',
      policy: 'none',
      evidence: expect.any(Array),
    });
    const evidence = listAt(added[1]?.statement, 'predicate', 'evidence');
    expect(
      evidence.map((entry) => [at(entry, 'predicateType'), at(entry, 'issuer'), at(entry, 'subject')]).sort(),
    ).toEqual([SBOM, CHECKS, SIGNATURE, PROVENANCE].map((type) => [type, world.issuer.url, SHIPPER]).sort());
    expect(json(await readFile(promoted.outputs['record-path'] ?? ''))).toEqual(added[1]?.statement);
    expect(registry.tagHistory.slice(2).map(({ tag, digest: tagged }) => [tag, tagged])).toEqual([
      ['v1.0.0', digest],
      ['stable', digest],
    ]);
    expect([...registry.tags(REPOSITORY).values()]).toEqual([digest, digest, digest, digest]);
  });
});
