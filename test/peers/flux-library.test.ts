import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireSuccess, startWorld, type World } from '../actions/support.ts';
import { toolFile } from './build-tools.ts';
import { type RegistryRepository, registryRepository } from './registry-http.ts';
import { createState, type ServerState } from './servers/process.ts';
import { type RegistryServer, startDistribution } from './servers/registry.ts';
import { output, readTree } from './support.ts';

const FILES = {
  'deploy/kustomization.yaml': 'resources: [base/web.yaml]\n',
  'deploy/base/web.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: web\n',
  'deploy/base.d/hook.sh': '#!/bin/sh\nexit 0\n',
  'deploy/empty.txt': '',
  // Longer than a tar header has room for.
  [`deploy/${'long-directory-name/'.repeat(8)}${'n'.repeat(120)}.yaml`]: 'kind: List\napiVersion: v1\n',
  'deploy/grüße/straße.txt': 'ä\n',
};
const PulledSchema = v.object({ source_url: v.string(), source_revision: v.string(), digest: v.string() });
const ListSchema = v.array(v.object({ url: v.string(), digest: v.string() }));

describe('the Flux library and an artifact of ours', () => {
  let state: ServerState;
  let world: World;
  let server: RegistryServer;
  let umask: number;
  let ours: RegistryRepository;
  let theirs: RegistryRepository;

  const flux = async (...args: string[]) => output(await toolFile('fluxoracle'), args, { env: state.env });
  const deploy = () => join(world.workspace.dir, 'deploy');
  const artifact = (name: string) => `oci://${server.host}/acme/${name}:latest`;

  beforeAll(async () => {
    umask = process.umask(0o022);
    state = await createState('flux-library');
    server = await startDistribution(state);
    world = await startWorld({ files: FILES });
    await chmod(join(deploy(), 'base.d/hook.sh'), 0o755);
    const inputs = { name: 'ours', path: 'deploy', 'path-prefix': '', 'allow-dirty': 'deploy' };
    requireSuccess(await world.run('package', inputs));
    requireSuccess(await world.run('sign'));
    requireSuccess(await world.run('push', { registry: `${server.host}/acme` }));
    ours = registryRepository(server.host, 'acme/ours');
    theirs = registryRepository(server.host, 'acme/theirs');
    const { annotations } = await ours.manifest('latest');
    const [source, revision] = ['source', 'revision'].map(
      (key) => annotations[`org.opencontainers.image.${key}`] ?? '',
    );
    await flux('push', '-path', deploy(), '-source', source ?? '', '-revision', revision ?? '', artifact('theirs'));
  });
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
  afterAll(async ({}, suite) => {
    process.umask(umask);
    await world?.close();
    await server?.stop();
    await state?.close(suite);
  });

  it('pulls it and gets the tree that was packed', async () => {
    const target = join(state.folder, 'pulled');
    const pulled = v.parse(PulledSchema, JSON.parse(await flux('pull', '-output', target, artifact('ours'))));
    expect(pulled.source_revision).toBe(`main@sha1:${world.workspace.sha}`);
    expect(pulled.source_url).toBe('https://github.com/acme/shop');
    expect(await readTree(target, '.')).toEqual(await readTree(deploy(), '.'));
  });

  it('finds its tag and digest', async () => {
    const listed = v.parse(ListSchema, JSON.parse(await flux('list', `oci://${server.host}/acme/ours`)));
    const latest = listed.find(({ url }) => url.endsWith(':latest'));
    expect(latest?.digest).toBe(await ours.digest('latest'));
  });

  it('packs the same directory into the same tar, byte for byte', async () => {
    const [ourTar, theirTar] = await Promise.all(
      [ours, theirs].map(async (repository) => {
        const { layers } = await repository.manifest('latest');
        return gunzipSync(await repository.blob(layers[0]?.digest ?? ''));
      }),
    );
    expect(ourTar?.equals(theirTar ?? Buffer.alloc(0))).toBe(true);
  });

  it('writes the same kind of manifest with the same config', async () => {
    const our = await ours.manifest('latest');
    const their = await theirs.manifest('latest');
    expect(our.mediaType).toBe(their.mediaType);
    expect(our.config).toEqual(their.config);
    expect((await ours.blob(our.config.digest)).equals(await theirs.blob(their.config.digest))).toBe(true);
    expect(our.layers[0]?.mediaType).toBe(their.layers[0]?.mediaType);
    expect(Object.keys(our)).toEqual(Object.keys(their));
    const { 'org.opencontainers.image.created': created, ...annotations } = their.annotations;
    expect(our.annotations).toMatchObject(annotations);
    const RFC3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
    expect(created).toMatch(RFC3339_UTC);
    expect(our.annotations['org.opencontainers.image.created']).toMatch(RFC3339_UTC);
  });

  // It compares compressed archives, and only Go's own compressor makes the bytes of Go's own compressor.
  it('says that the same content differs, which is known', async () => {
    await expect(flux('diff', '-path', deploy(), artifact('theirs'))).resolves.toBe('');
    await expect(flux('diff', '-path', deploy(), artifact('ours'))).rejects.toThrow('differ');
  });
});
