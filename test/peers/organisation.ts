import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ActionRun, createWorkspace, runAction, type TestIssuer, type Workspace } from '@gitless/testkit';
import * as v from 'valibot';
import { requireSuccess } from '../actions/support.ts';
import { pathWith } from './build-tools.ts';
import { type PrintedResources, printedResources } from './printed-resources.ts';
import type { ServerState } from './servers/process.ts';

/** Audience of the organisation's Fulcio, as the examples name it. */
export const AUDIENCE = 'sigstore-acme';

export interface Services {
  readonly issuer: TestIssuer;
  /** JSON texts. */
  readonly sigstore: { readonly trustedRoot: string; readonly signingConfig: string };
  readonly registry: { readonly host: string };
}

/** Path → content. */
export type Files = Readonly<Record<string, string>>;

/** What a job runs as: by default a push to main of `.github/workflows/ship.yml`. */
interface JobContext {
  readonly workflow?: string;
  readonly ref?: string;
  readonly event?: string;
  readonly environment?: string;
}

type Inputs = Readonly<Record<string, string>>;
type RunStep = (action: string, inputs?: Inputs) => Promise<ActionRun>;

export interface Released {
  /** Component → digest. */
  readonly digests: Readonly<Record<string, string>>;
  /** Component → what the job summary says to paste into the cluster. */
  readonly printed: ReadonlyMap<string, PrintedResources>;
}

export interface Shipped extends Released {
  /** Content of the file that `sign` writes for the cluster. */
  readonly fluxTrustedRoot: string;
}

export interface ShipOptions extends JobContext {
  /** Packs the directories as they are. */
  readonly unrendered?: boolean;
  readonly sign?: Inputs;
  readonly push?: Inputs;
}

/** An organisation's repositories on GitHub, `acme/…`, and their workflow runs. One at a time: the issuer has one set of claims. */
export interface Organisation {
  /** A job of a run on one commit with these files. */
  startJob(repository: string, files: Files, context?: JobContext): Promise<RunStep>;
  /** Render (unless packed as it is), package, sign and push. */
  ship(repository: string, files: Files, options?: ShipOptions): Promise<Shipped>;
  /** What `shipper` shipped goes to production by `acme/production`'s promote.yml. */
  promote(shipper: string, digests: Readonly<Record<string, string>>, version: string): Promise<Released>;
  /** The examples name GitHub's issuer and registry; this names ours. */
  localise(text: string): string;
  close(): Promise<void>;
}

export function createOrganisation(state: ServerState, { issuer, sigstore, registry }: Services): Organisation {
  const workspaces: Workspace[] = [];
  let runs = 0;

  const localise = (text: string) =>
    text
      .replaceAll('ghcr.io/acme', `${registry.host}/acme`)
      .replaceAll('https://token.actions.githubusercontent.com', issuer.url)
      .replaceAll('https://token\\.actions\\.githubusercontent\\.com', issuer.url.replaceAll('.', '\\.'));

  async function startJob(repository: string, files: Files, context: JobContext = {}): Promise<RunStep> {
    const { workflow = 'ship.yml', ref = 'refs/heads/main', event = 'push', environment } = context;
    runs += 1;
    const checkout = Object.entries(files).map(([path, text]) => [path, localise(text)]);
    const workspace = await createWorkspace({
      ...Object.fromEntries(checkout),
      'trust/trusted_root.json': sigstore.trustedRoot,
      'trust/signing_config.json': sigstore.signingConfig,
    });
    workspaces.push(workspace);
    const temp = await mkdtemp(join(state.folder, 'job-'));
    const runId = `${9_000_000_000 + runs}`;
    const workflowRef = `acme/${repository}/.github/workflows/${workflow}@${ref}`;
    const shared = {
      repository: `acme/${repository}`,
      ref,
      event_name: event,
      run_id: runId,
      workflow_ref: workflowRef,
    };
    const env = Object.fromEntries(
      Object.entries(shared).map(([claim, value]) => [`GITHUB_${claim.toUpperCase()}`, value]),
    );
    return async (action, inputs = {}) => {
      issuer.claims = { ...shared, sha: workspace.sha, job_workflow_ref: workflowRef, environment };
      return runAction({
        action,
        workspace,
        temp,
        oidc: { url: issuer.tokenRequestUrl, token: issuer.requestToken },
        inputs: { ...SETTINGS[action], ...inputs },
        env: action === 'render' ? { ...env, PATH: await pathWith('helm', 'kustomize') } : env,
      });
    };
  }

  return {
    startJob,
    localise,
    async ship(repository, files, { unrendered = false, sign = {}, push = {}, ...context } = {}) {
      const run = await startJob(repository, files, context);
      if (!unrendered) {
        requireSuccess(await run('render'));
      }
      requireSuccess(await run('package', unrendered ? { unrendered: 'true' } : {}));
      const signed = requireSuccess(await run('sign', sign));
      const pushed = requireSuccess(await run('push', push));
      return {
        ...released(pushed),
        fluxTrustedRoot: await readFile(signed.outputs['flux-trusted-root'] ?? '', 'utf8'),
      };
    },
    async promote(shipper, digests, version) {
      const run = await startJob('production', { 'gitless.yaml': promotionConfig(shipper) }, PROMOTION);
      const inputs = { from: JSON.stringify(digests), version, environment: 'production' };
      return released(requireSuccess(await run('promote', inputs)));
    },
    async close() {
      await Promise.all(workspaces.map((workspace) => workspace.cleanup()));
    },
  };
}

const SETTINGS: Readonly<Record<string, Inputs>> = {
  sign: { 'oidc-audience': AUDIENCE },
  push: { 'plain-http': 'true' },
  promote: { 'oidc-audience': AUDIENCE, 'plain-http': 'true' },
};

const PROMOTION = { workflow: 'promote.yml', event: 'workflow_dispatch', environment: 'production' } as const;

function released({ outputs, summary }: ActionRun): Released {
  const digests = v.parse(v.record(v.string(), v.string()), JSON.parse(outputs['digests'] ?? ''));
  return { digests, printed: printedResources(summary) };
}

/** gitless.yaml of the repository that promotes: no components, and one shipping workflow that it takes from. */
function promotionConfig(shipper: string): string {
  return `schema: 1
registry: ghcr.io/acme
production: ghcr.io/acme/production
identity:
  issuer: https://token.actions.githubusercontent.com
  subject: https://github.com/acme/${shipper}/.github/workflows/ship.yml@refs/heads/main
  repository: acme/${shipper}
trust:
  trusted-root: trust/trusted_root.json
  signing-config: trust/signing_config.json
`;
}
