import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireSuccess, SHIPPER, startWorld, type World } from '../actions/support.ts';
import { toolFile } from './build-tools.ts';
import { requireAccepted, runPeer, WEB_FILES } from './job.ts';
import { createState, type ServerState } from './servers/process.ts';
import { LOGIN, type RegistryAccess, type RegistryServer, startDistribution } from './servers/registry.ts';

const ACCESS: readonly RegistryAccess[] = ['htpasswd', 'token'];

describe.each(ACCESS)('distribution that wants a login (%s)', (access) => {
  let state: ServerState;
  let world: World;
  let registry: RegistryServer;
  beforeAll(async () => {
    state = await createState(`registry-${access}`);
    registry = await startDistribution(state, access);
    world = await startWorld({ files: WEB_FILES });
    requireSuccess(await world.run('package', { name: 'web', path: 'deploy' }));
    requireSuccess(await world.run('sign'));
  });
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
  afterAll(async ({}, suite) => {
    await world?.close();
    await registry?.stop();
    await state?.close(suite);
  });

  const place = () => ({ registry: `${registry.host}/acme` });

  it.each([
    ['without a login', {}],
    ['with a wrong password', { ...LOGIN, password: 'closed' }],
  ])('gives nothing to push %s', async (_what, login) => {
    const run = await world.run('push', { ...place(), ...login });
    expect(run.exitCode).toBe(1);
    expect(run.log).toContain('[REGISTRY_UNAUTHORIZED]');
    expect(run.log).not.toContain('closed');
  });

  it('takes push and promote with the login, and cosign reads what they left', async () => {
    const { outputs } = requireSuccess(await world.run('push', { ...place(), ...LOGIN }));
    const target = { 'to-registry': `${registry.host}/production`, version: 'v1.0.0' };
    const from = `web=${outputs['digest']}`;
    requireSuccess(await world.run('promote', { ...place(), ...target, ...LOGIN, from }));
    const config = join(state.folder, 'docker');
    await mkdir(config);
    const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
    await writeFile(join(config, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    const cosign = await toolFile('cosign', 'sigstore');
    const signer = ['--certificate-identity', SHIPPER.identity, '--certificate-oidc-issuer', world.issuer.url];
    const stable = `${registry.host}/production/web:stable`;
    const args = ['verify', '--trusted-root', world.trustedRoot, ...signer, stable];
    expect((await runPeer(state, cosign, args)).exitCode).not.toBe(0);
    const printed = requireAccepted(await runPeer(state, cosign, args, { env: { DOCKER_CONFIG: config } }));
    expect(printed).toContain(outputs['digest']);
  });
});
