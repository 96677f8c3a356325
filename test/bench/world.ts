import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startIssuer, type TestIssuer } from '@gitless/testkit';
import { createState, type ServerState } from '../peers/servers/process.ts';
import { type RegistryServer, startDistribution } from '../peers/servers/registry.ts';
import { type SigstoreServers, startSigstoreServers } from '../peers/servers/sigstore.ts';
import { type DelayProxy, startDelayProxy } from './delay-proxy.ts';

/** cosign asks for this audience and no other. */
export const AUDIENCE = 'sigstore';

type Service = 'token' | 'fulcio' | 'rekor' | 'tsa' | 'registry';

/** Milliseconds that each request waits before it reaches its service. */
export const PROFILES = {
  loopback: { token: 0, fulcio: 0, rekor: 0, tsa: 0, registry: 0 },
  wan: { token: 200, fulcio: 400, rekor: 800, tsa: 150, registry: 40 },
} as const satisfies Record<string, Record<Service, number>>;

export type Profile = keyof typeof PROFILES;

/** Requests by service. */
export type Requests = Readonly<Record<Service, number>>;

/** The servers as one profile reaches them. */
export interface Network {
  readonly profile: Profile;
  readonly state: ServerState;
  readonly issuer: TestIssuer;
  readonly registry: { readonly host: string };
  /** Paths. */
  readonly trustedRoot: string;
  readonly signingConfig: string;
  /** Lets the issuer's tokens be those of this workflow; `undefined`: of the shipping one. */
  issueFor(workflowRef: string | undefined): void;
  /** Requests since the servers started. */
  requests(): Promise<Requests>;
  close(): Promise<void>;
}

export interface Servers {
  readonly state: ServerState;
  readonly issuer: TestIssuer;
  readonly sigstore: SigstoreServers;
  readonly registry: RegistryServer;
  close(succeeded: boolean): Promise<void>;
}

/** The real servers, on loopback, for the whole run: both sides use the same ones. */
export async function startServers(): Promise<Servers> {
  const state = await createState('bench');
  const issuer = await startIssuer();
  const sigstore = await startSigstoreServers(state, { issuer, audience: AUDIENCE });
  const registry = await startDistribution(state);
  return {
    state,
    issuer,
    sigstore,
    registry,
    async close(succeeded) {
      await Promise.all([sigstore.stop(), registry.stop(), issuer.close()]);
      await state.close({ tasks: [{ result: { state: succeeded ? 'pass' : 'fail' } }] });
    },
  };
}

/**
 * Puts a proxy before each service. The registry gets none where nothing is delayed: its requests are most of all, it
 * counts them itself, and a proxy would cost a part of what is measured.
 */
export async function openNetwork(servers: Servers, profile: Profile): Promise<Network> {
  const { state, issuer, sigstore, registry } = servers;
  const delays = PROFILES[profile];
  const origins = {
    token: new URL(issuer.tokenRequestUrl),
    fulcio: new URL(sigstore.fulcioUrl),
    rekor: new URL(sigstore.rekorUrl),
    tsa: new URL(sigstore.tsaUrl),
  };
  const [token, fulcio, rekor, tsa] = await Promise.all([
    startDelayProxy(origins.token, delays.token),
    startDelayProxy(origins.fulcio, delays.fulcio),
    startDelayProxy(origins.rekor, delays.rekor),
    startDelayProxy(origins.tsa, delays.tsa),
  ]);
  const delayed =
    delays.registry === 0 ? undefined : await startDelayProxy(new URL(`http://${registry.host}`), delays.registry);
  const proxied = (text: string) =>
    text
      .replaceAll(origins.fulcio.origin, fulcio.origin)
      .replaceAll(origins.rekor.origin, rekor.origin)
      .replaceAll(origins.tsa.origin, tsa.origin);
  const trustedRoot = join(state.folder, `trusted_root.${profile}.json`);
  const signingConfig = join(state.folder, `signing_config.${profile}.json`);
  await writeFile(trustedRoot, proxied(sigstore.trustedRoot));
  await writeFile(signingConfig, proxied(sigstore.signingConfig));
  const proxies: DelayProxy[] = [token, fulcio, rekor, tsa, ...(delayed === undefined ? [] : [delayed])];
  return {
    profile,
    state,
    issuer: { ...issuer, tokenRequestUrl: issuer.tokenRequestUrl.replace(origins.token.origin, token.origin) },
    registry: { host: delayed === undefined ? registry.host : new URL(delayed.origin).host },
    trustedRoot,
    signingConfig,
    issueFor: (workflowRef) => {
      issuer.claims = workflowRef === undefined ? {} : { workflow_ref: workflowRef, job_workflow_ref: workflowRef };
    },
    async requests() {
      const log = await readFile(join(state.folder, 'log', 'registry-open.log'), 'utf8');
      return {
        token: token.count(),
        fulcio: fulcio.count(),
        rekor: rekor.count(),
        tsa: tsa.count(),
        registry: log.match(ACCESS_LOG_LINE)?.length ?? 0,
      };
    },
    async close() {
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  };
}

/** distribution's access log is in Apache's combined format. */
const ACCESS_LOG_LINE = /^127\.0\.0\.1 - - \[/gm;
