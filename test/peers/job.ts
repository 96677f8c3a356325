import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createWorkspace, type TestIssuer, type Workspace } from '@gitless/testkit';
import { actionRunner, requireSuccess, type World } from '../actions/support.ts';
import type { ServerState } from './servers/process.ts';

/** One job on a runner, with real servers around it: a checkout, an empty temporary directory, the shipped actions. */
export interface Job {
  readonly workspace: Workspace;
  readonly temp: string;
  /** Paths. */
  readonly trustedRoot: string;
  readonly signingConfig: string;
  readonly run: World['run'];
  close(): Promise<void>;
}

export interface JobServers {
  readonly issuer: TestIssuer;
  /** JSON texts. */
  readonly sigstore: { readonly trustedRoot: string; readonly signingConfig: string };
  readonly registry: { readonly host: string };
}

const CONFIG_MAP = (environment: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  environment: ${environment}\n`;

/** A component `web` as plain YAML with two environments. */
export const WEB_FILES = {
  'deploy/staging/web.yaml': CONFIG_MAP('staging'),
  'deploy/production/web.yaml': CONFIG_MAP('production'),
};

/** The workflow that promotes, beside the one that ships (`SHIPPER`). */
export const PROMOTING_WORKFLOW = 'acme/shop/.github/workflows/promote.yml@refs/heads/main';

export async function createJob(
  state: ServerState,
  { issuer, sigstore, registry }: JobServers,
  files: Record<string, string> = WEB_FILES,
): Promise<Job> {
  const workspace = await createWorkspace(files);
  const temp = await mkdtemp(join(state.folder, 'job-'));
  const trustedRoot = join(temp, 'trusted_root.json');
  const signingConfig = join(temp, 'signing_config.json');
  await writeFile(trustedRoot, sigstore.trustedRoot);
  await writeFile(signingConfig, sigstore.signingConfig);
  return {
    workspace,
    temp,
    trustedRoot,
    signingConfig,
    run: actionRunner({ issuer, registry, workspace, temp, trustedRoot, signingConfig }),
    async close() {
      await workspace.cleanup();
      await rm(temp, { recursive: true, force: true });
    },
  };
}

export interface Shipped {
  readonly digest: string;
  /** Paths. */
  readonly bundle: string;
  readonly fluxTrustedRoot: string;
  /** Job summary of `push`. */
  readonly summary: string;
}

/** render, package, sign and push, as the workflow `ship.yml` does it on a push to main. */
export async function ship(job: Job): Promise<Shipped> {
  requireSuccess(await job.run('render', { name: 'web', path: 'deploy', engine: 'plain' }));
  requireSuccess(await job.run('package'));
  const signed = requireSuccess(await job.run('sign'));
  const pushed = requireSuccess(await job.run('push'));
  return {
    digest: pushed.outputs['digest'] ?? '',
    bundle: signed.outputs['bundle-path'] ?? '',
    fluxTrustedRoot: signed.outputs['flux-trusted-root'] ?? '',
    summary: pushed.summary,
  };
}

/** promote, as the workflow `promote.yml` does it when dispatched. Returns its job summary. */
export async function promote(job: Job, issuer: TestIssuer, inputs: Readonly<Record<string, string>>): Promise<string> {
  const shipping = issuer.claims;
  issuer.claims = { ...shipping, workflow_ref: PROMOTING_WORKFLOW, event_name: 'workflow_dispatch' };
  try {
    const env = { GITHUB_WORKFLOW_REF: PROMOTING_WORKFLOW, GITHUB_EVENT_NAME: 'workflow_dispatch' };
    return requireSuccess(await job.run('promote', inputs, { env })).summary;
  } finally {
    issuer.claims = shipping;
  }
}

export interface PeerResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a peer to its end. Nothing of the machine's gets in but PATH; a failure is a result. */
export function runPeer(
  state: ServerState,
  file: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<PeerResult> {
  const { cwd = state.folder, env = {} } = options;
  return new Promise((resolve, reject) => {
    const settings = { cwd, env: { ...state.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
    execFile(file, [...args], settings, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code;
      if (typeof exitCode === 'number') {
        resolve({ exitCode, stdout, stderr });
      } else {
        reject(error);
      }
    });
  });
}

/** Standard output of a peer. Throws an Error with what it printed when it fails. */
export function requireAccepted({ exitCode, stdout, stderr }: PeerResult): string {
  if (exitCode !== 0) {
    throw new Error(`exit code ${exitCode}\n${stdout}\n${stderr}`);
  }
  return stdout;
}
