import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createWorkspace,
  githubEnvironment,
  runAction,
  startIssuer,
  startRegistry,
  startSigstore,
  type TestRegistry,
  type Workspace,
} from '@gitless/testkit';
import { checkoutFiles } from './checkout.ts';
import type { Engine } from './engine.ts';

/** A private Fulcio has its own audience, so that the token is worth nothing elsewhere. */
export const AUDIENCE = 'sigstore.demo';

/** Which job of which run a step belongs to. */
interface JobSettings {
  readonly workflow: 'ship' | 'promote';
  readonly event: 'push' | 'workflow_dispatch';
  readonly actor: string;
  readonly runId: string;
  /** The job has `id-token: write`. */
  readonly token: boolean;
  /** Deployment environment, with its approval rules. */
  readonly environment?: string;
}

/** What one step left behind. */
export interface StepRecord {
  readonly name: string;
  readonly exitCode: number;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** `result/<step>.json` as written; empty when there is none. */
  readonly result: string;
  readonly log: string;
}

export interface Job {
  /** Runs the shipped bundle of `action`; a failure is a result. `name` is the step's in the output folder. */
  run(action: string, inputs?: Readonly<Record<string, string>>, name?: string): Promise<StepRecord>;
}

/** Everything outside of the suite, on loopback, and the checkout. */
export interface World {
  readonly registry: TestRegistry;
  readonly issuerUrl: string;
  readonly sigstoreUrl: string;
  readonly trustedRoot: string;
  readonly workspace: Workspace;
  /** Every step so far, in order. */
  readonly steps: readonly StepRecord[];
  /** A job of its own: same checkout, empty temporary directory. */
  newJob(settings: JobSettings): Job;
  /** Stops the servers; what the registry holds stays readable. */
  stopServices(): Promise<void>;
  /** Also deletes checkout and temporary directories. */
  close(): Promise<void>;
}

export async function startWorld(engine: Engine, shipper: string, signal: AbortSignal): Promise<World> {
  const services: Closable[] = [];
  const stopServices = async () => {
    await Promise.all(services.splice(0).map((service) => service.close()));
  };
  const temp = await mkdtemp(join(tmpdir(), 'gitless-demo-'));
  try {
    return await assemble(engine, shipper, { signal, temp, services, stopServices });
  } catch (error) {
    await stopServices();
    await rm(temp, { recursive: true, force: true });
    throw error;
  }
}

interface Closable {
  close(): Promise<void>;
}

interface Ground {
  readonly signal: AbortSignal;
  readonly temp: string;
  /** Those that run, for whoever stops them. */
  readonly services: Closable[];
  readonly stopServices: () => Promise<void>;
}

async function assemble(engine: Engine, shipper: string, ground: Ground): Promise<World> {
  const { signal, temp, services, stopServices } = ground;
  const running = <S extends Closable>(service: S): S => {
    services.push(service);
    return service;
  };
  const issuer = running(await startIssuer());
  const sigstore = running(await startSigstore({ issuer, audience: AUDIENCE }));
  const registry = running(await startRegistry({ referrers: true }));
  const workspace = await createWorkspace(
    await checkoutFiles({
      engine: engine.name,
      registry: registry.host,
      issuer: issuer.url,
      shipper,
      trustedRoot: sigstore.trustedRoot,
      signingConfig: sigstore.signingConfig,
    }),
  );
  const steps: StepRecord[] = [];
  let jobs = 0;

  return {
    registry,
    issuerUrl: issuer.url,
    sigstoreUrl: sigstore.fulcioUrl,
    trustedRoot: sigstore.trustedRoot,
    workspace,
    steps,
    newJob(settings) {
      jobs += 1;
      const jobTemp = join(temp, `job-${jobs}`);
      const env = jobEnvironment(settings, workspace.sha);
      return {
        async run(action, inputs = {}, name = action) {
          issuer.claims = tokenClaims(env, settings.environment);
          const run = await runAction({
            action,
            inputs,
            workspace,
            temp: jobTemp,
            env,
            signal,
            ...(settings.token ? { oidc: { url: issuer.tokenRequestUrl, token: issuer.requestToken } } : {}),
          });
          const path = run.outputs['result'] ?? '';
          const step: StepRecord = {
            name,
            exitCode: run.exitCode,
            outputs: run.outputs,
            summary: run.summary,
            result: path === '' ? '' : await readFile(path, 'utf8'),
            log: run.log,
          };
          steps.push(step);
          return step;
        },
      };
    },
    stopServices,
    async close() {
      await stopServices();
      await Promise.all([workspace.cleanup(), rm(temp, { recursive: true, force: true })]);
    },
  };
}

type JobEnvironment = ReturnType<typeof jobEnvironment>;

function jobEnvironment({ workflow, event, actor, runId }: JobSettings, sha: string) {
  const { GITHUB_REPOSITORY_ID, GITHUB_REPOSITORY_OWNER_ID } = githubEnvironment();
  return {
    GITHUB_ACTOR: actor,
    GITHUB_EVENT_NAME: event,
    GITHUB_REPOSITORY_ID,
    GITHUB_REPOSITORY_OWNER_ID,
    GITHUB_RUN_ID: runId,
    GITHUB_SHA: sha,
    GITHUB_WORKFLOW: workflow,
    GITHUB_WORKFLOW_REF: `acme/shop/.github/workflows/${workflow}.yml@refs/heads/main`,
  };
}

/** The issuer says of the job what the job's environment says. */
function tokenClaims(env: JobEnvironment, environment: string | undefined): Record<string, string | undefined> {
  return {
    actor: env.GITHUB_ACTOR,
    event_name: env.GITHUB_EVENT_NAME,
    repository_id: env.GITHUB_REPOSITORY_ID,
    repository_owner_id: env.GITHUB_REPOSITORY_OWNER_ID,
    run_id: env.GITHUB_RUN_ID,
    sha: env.GITHUB_SHA,
    workflow: env.GITHUB_WORKFLOW,
    workflow_ref: env.GITHUB_WORKFLOW_REF,
    job_workflow_ref: env.GITHUB_WORKFLOW_REF,
    environment,
  };
}
