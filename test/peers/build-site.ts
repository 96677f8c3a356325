import { join } from 'node:path';
import { startIssuer } from '@gitless/testkit';
import type { Manifest } from './kubernetes-client.ts';
import { AUDIENCE, createOrganisation, type Files, type Organisation, type Services } from './organisation.ts';
import { createState, type ServerState, type TestSuite } from './servers/process.ts';
import { startDistribution } from './servers/registry.ts';
import { type SigstoreServers, startSigstoreServers } from './servers/sigstore.ts';
import { readTree } from './support.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');

/** The files of `examples/<name>`. */
export function example(name: 'apps' | 'fleet' | 'infra'): Promise<Files> {
  return readTree(join(EXAMPLES, name), '.');
}

/** Where an organisation builds: its repositories, its Sigstore instance, its registry. */
export interface BuildSite {
  readonly state: ServerState;
  readonly organisation: Organisation;
  readonly issuer: Services['issuer'];
  readonly sigstore: SigstoreServers;
  /** Host of the registry. */
  readonly registry: string;
  stop(suite: TestSuite): Promise<void>;
}

export async function startBuildSite(name: string): Promise<BuildSite> {
  const state = await createState(name);
  const issuer = await startIssuer();
  const [sigstore, registry] = await Promise.all([
    startSigstoreServers(state, { issuer, audience: AUDIENCE }),
    startDistribution(state),
  ]);
  const organisation = createOrganisation(state, { issuer, sigstore, registry });
  return {
    state,
    organisation,
    issuer,
    sigstore,
    registry: registry.host,
    async stop(suite) {
      await organisation.close();
      await Promise.all([sigstore.stop(), registry.stop(), issuer.close()]);
      await state.close(suite);
    },
  };
}

/** The Secret that docs/flux.md lets a reader make of the file that `sign` writes. */
export function trustedRootSecret(trustedRoot: string, name = 'gitless-trusted-root'): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'flux-system' },
    stringData: { 'trusted_root.json': trustedRoot },
  };
}
