import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS, PROMOTION, PROVENANCE, promote, SBOM, SIGNATURE } from '../actions/steps.ts';
import { requireSuccess, startWorld, type World } from '../actions/support.ts';
import { toolFile } from './build-tools.ts';
import { createState, type ServerState } from './servers/process.ts';
import { type RegistryServer, startDistribution } from './servers/registry.ts';
import { output, plainEnvironment, readTree, sha256, unpack } from './support.ts';

const FILES = {
  'deploy/staging/web.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  mode: "0644"\n',
  'deploy/production/web.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  host: "yes"\n',
};
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

const DescriptorSchema = v.object({ mediaType: v.string(), digest: v.string(), size: v.number() });
const ManifestSchema = v.object({ layers: v.array(DescriptorSchema), subject: v.exactOptional(DescriptorSchema) });
const DiscoverSchema = v.object({
  referrers: v.array(
    v.object({ digest: v.string(), artifactType: v.string(), annotations: v.record(v.string(), v.string()) }),
  ),
});
const BundleSchema = v.object({ mediaType: v.string(), dsseEnvelope: v.object({ payload: v.string() }) });
const StatementSchema = v.object({ subject: v.array(v.object({ digest: v.record(v.string(), v.string()) })) });

const SHIPPED = [SIGNATURE, PROVENANCE, SBOM, CHECKS];

describe('a registry that we did not write, read by a client that we did not write', () => {
  let world: World;
  let state: ServerState;
  let registry: RegistryServer;
  let digest: string;
  beforeAll(async () => {
    world = await startWorld({ files: FILES });
    state = await createState('distribution');
    registry = await startDistribution(state);
    requireSuccess(await world.run('package', { name: 'web', path: 'deploy' }));
    requireSuccess(await world.run('sign'));
    await pushAndPromote();
  });
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
  afterAll(async ({}, suite) => {
    await registry?.stop();
    await world?.close();
    await state?.close(suite);
  });

  async function pushAndPromote(): Promise<void> {
    const place = { registry: `${registry.host}/acme` };
    digest = requireSuccess(await world.run('push', place)).outputs['digest'] ?? '';
    const target = { version: 'v1.0.0', 'to-registry': `${registry.host}/production` };
    requireSuccess(await promote(world, { ...place, ...target, from: `web=${digest}` }));
  }

  async function oras(command: string, ...args: string[]): Promise<string> {
    const environment = plainEnvironment(state.folder);
    return output(await toolFile('oras'), [...command.split(' '), ...args], { cwd: state.folder, env: environment });
  }

  async function referrersOf(repository: string) {
    const json = await oras('discover --plain-http --format json', `${repository}@${digest}`);
    return v.parse(DiscoverSchema, JSON.parse(json)).referrers;
  }

  const source = () => `${registry.host}/acme/web`;
  const production = () => `${registry.host}/production/web`;

  it('has the tags, and each points to the artifact', async () => {
    const fallback = digest.replace(':', '-');
    const tags = async (repository: string) =>
      (await oras('repo tags --plain-http', repository))
        .trim()
        .split('\n')
        .filter((tag) => tag !== fallback);
    expect(await tags(source())).toEqual([expect.stringMatching(/^b-[0-9a-f]{12}-16234567890$/), 'latest']);
    expect(await tags(production())).toEqual(['stable', 'v1.0.0']);
    for (const reference of [`${source()}:latest`, `${production()}:v1.0.0`, `${production()}:stable`]) {
      expect(sha256(await oras('manifest fetch --plain-http', reference))).toBe(digest);
    }
  });

  it('lists the bundles of either side as referrers', async () => {
    const types = async (repository: string) =>
      (await referrersOf(repository)).map(({ annotations }) => annotations['dev.sigstore.bundle.predicateType']).sort();
    expect(await types(source())).toEqual([...SHIPPED].sort());
    expect(await types(production())).toEqual([...SHIPPED, SIGNATURE, PROMOTION].sort());
  });

  it('gives every bundle out again, each about this digest', async () => {
    for (const referrer of await referrersOf(production())) {
      expect(referrer.artifactType).toBe(BUNDLE);
      const reference = `${production()}@${referrer.digest}`;
      const { layers, subject } = v.parse(
        ManifestSchema,
        JSON.parse(await oras('manifest fetch --plain-http', reference)),
      );
      expect([subject?.digest, layers.map(({ mediaType }) => mediaType)]).toEqual([digest, [BUNDLE]]);
      const blob = await oras('blob fetch --plain-http --output -', `${production()}@${layers[0]?.digest}`);
      const bundle = v.parse(BundleSchema, JSON.parse(blob));
      const statement: unknown = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
      expect(bundle.mediaType).toBe(BUNDLE);
      expect(v.parse(StatementSchema, statement).subject.map((one) => `sha256:${one.digest['sha256']}`)).toEqual([
        digest,
      ]);
    }
  });

  it('copies to a layout with all of it, the content as it is in the checkout', async () => {
    await oras('copy -r --from-plain-http --to-oci-layout', `${production()}:stable`, 'layout:stable');
    const layout = join(state.folder, 'layout');
    const blobs = await readTree(join(layout, 'blobs/sha256'), '.');
    const { layers } = v.parse(ManifestSchema, JSON.parse(blobs[digest.replace('sha256:', '')] ?? ''));
    const content = join(state.folder, 'content');
    await mkdir(content);
    await unpack(join(layout, 'blobs/sha256', layers[0]?.digest.replace('sha256:', '') ?? ''), content);
    expect(await readTree(join(content, 'web'), 'deploy')).toEqual(FILES);
    const bundles = (await referrersOf(production())).map((referrer) => referrer.digest.replace('sha256:', ''));
    expect(Object.keys(blobs)).toEqual(expect.arrayContaining(bundles));
  });

  it('stays as it is when it is pushed and promoted again', async () => {
    const before = [digest, await referrersOf(source()), await referrersOf(production())];
    await pushAndPromote();
    expect([digest, await referrersOf(source()), await referrersOf(production())]).toEqual(before);
  });
});
