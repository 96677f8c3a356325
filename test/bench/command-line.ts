import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allBounded } from '@gitless/core';
import * as v from 'valibot';
import { SHIPPER } from '../actions/support.ts';
import { toolFile } from '../peers/build-tools.ts';
import { requireAccepted, runPeer } from '../peers/job.ts';
import type { Task } from './task.ts';

/*
 * What a pipeline does today with the programs that there are, one process after the other for a component, and as many
 * components at a time as `parallel` says.
 */

const PREDICATES = {
  slsaprovenance1: {
    buildDefinition: { buildType: 'https://example.test/build', externalParameters: {} },
    runDetails: { builder: { id: 'https://example.test/runner' } },
  },
  cyclonedx: {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: 'urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79',
    version: 1,
    components: [],
  },
};

/** kustomize build × 2, push with the Flux library, cosign sign, cosign attest × 2, cosign verify, crane tag. Returns the digests. */
export async function shipWithTools(task: Task, parallel: number): Promise<Map<string, string>> {
  const run = programs(task);
  for (const [type, predicate] of Object.entries(PREDICATES)) {
    await writeFile(join(task.temp, `${type}.json`), JSON.stringify(predicate));
  }
  const digests = await each(task, parallel, async (name) => {
    const repository = `${task.network.registry.host}/${task.candidates}/${name}`;
    for (const environment of ['staging', 'production']) {
      const rendered = join(task.temp, name, environment);
      await mkdir(rendered, { recursive: true });
      const overlay = join(task.workspace.dir, 'components', name, 'overlays', environment);
      await run('kustomize', ['build', overlay, '--output', join(rendered, 'all.yaml')]);
    }
    const origin = ['-source', 'https://github.com/acme/shop', '-revision', `main@sha1:${task.workspace.sha}`];
    const pushed = await run('fluxoracle', [
      'push',
      '-path',
      join(task.temp, name),
      ...origin,
      `oci://${repository}:latest`,
    ]);
    const { digest } = v.parse(v.object({ digest: v.string() }), JSON.parse(pushed));
    const reference = `${repository}@${digest}`;
    await run('cosign', ['sign', ...signing(task), reference]);
    for (const type of Object.keys(PREDICATES)) {
      const predicate = ['--type', type, '--predicate', join(task.temp, `${type}.json`)];
      await run('cosign', ['attest', ...signing(task), ...predicate, reference]);
    }
    await run('cosign', ['verify', ...verification(task), reference]);
    await run('crane', ['tag', '--insecure', reference, 'staging']);
    return digest;
  });
  return new Map(task.names.map((name, index) => [name, digests[index] ?? '']));
}

/** cosign verify, oras cp -r, cosign sign, crane tag. */
export async function promoteWithTools(
  task: Task,
  digests: ReadonlyMap<string, string>,
  parallel: number,
): Promise<void> {
  const run = programs(task);
  await each(task, parallel, async (name) => {
    const digest = digests.get(name) ?? '';
    const from = `${task.network.registry.host}/${task.candidates}/${name}@${digest}`;
    const to = `${task.network.registry.host}/${task.production}/${name}`;
    await run('cosign', ['verify', ...verification(task), from]);
    await run('oras', ['cp', '--recursive', '--from-plain-http', '--to-plain-http', from, `${to}:v1.0.0`]);
    await run('cosign', ['sign', ...signing(task), `${to}@${digest}`]);
    await run('crane', ['tag', '--insecure', `${to}@${digest}`, 'stable']);
  });
}

function each<T>(task: Task, parallel: number, work: (name: string) => Promise<T>): Promise<T[]> {
  return allBounded(task.names, parallel, new AbortController().signal, work);
}

function signing({ network }: Task): string[] {
  return ['--yes', '--signing-config', network.signingConfig, '--trusted-root', network.trustedRoot];
}

function verification({ network }: Task): string[] {
  const signer = ['--certificate-identity', SHIPPER.identity, '--certificate-oidc-issuer', network.issuer.url];
  return ['--trusted-root', network.trustedRoot, ...signer];
}

/** Folder of `test/peers/tools` that builds each program. */
export const FAMILIES = {
  cosign: 'sigstore',
  crane: 'go-containerregistry',
  fluxoracle: 'fluxoracle',
  kustomize: 'kustomize',
  oras: 'oras',
} as const;

function programs({ network: { state, issuer } }: Task) {
  const env = {
    ACTIONS_ID_TOKEN_REQUEST_URL: issuer.tokenRequestUrl,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
  };
  return async (program: keyof typeof FAMILIES, args: readonly string[]): Promise<string> =>
    requireAccepted(await runPeer(state, await toolFile(program, FAMILIES[program]), args, { env }));
}
