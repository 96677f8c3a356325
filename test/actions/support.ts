import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ActionRun,
  createWorkspace,
  type RegistryOptions,
  type RunOptions,
  runAction,
  startIssuer,
  startRegistry,
  startSigstore,
  type TestIssuer,
  type TestRegistry,
  type TestSigstore,
  type Workspace,
} from '@gitless/testkit';

export const AUDIENCE = 'sigstore.test';

type ActionName = 'render' | 'package' | 'sign' | 'push' | 'promote';

/** Everything that a job needs, on loopback: issuer, Sigstore, registry, checkout, temporary directory. */
export interface World {
  readonly issuer: TestIssuer;
  readonly sigstore: TestSigstore;
  readonly registry: TestRegistry;
  readonly workspace: Workspace;
  readonly temp: string;
  readonly trustedRoot: string;
  readonly signingConfig: string;
  /** Runs a shipped action in this world with the settings that it needs; `inputs` override them, `undefined` leaves one out. */
  run(
    action: ActionName,
    inputs?: Record<string, string | undefined>,
    options?: Partial<RunOptions>,
  ): Promise<ActionRun>;
  /** A second job of the same run: the same checkout, an empty temporary directory. */
  newJob(): Promise<World>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly files: Record<string, string>;
  readonly registry?: RegistryOptions;
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const issuer = await startIssuer();
  const sigstore = await startSigstore({ issuer, audience: AUDIENCE });
  const registry = await startRegistry(options.registry ?? {});
  const workspace = await createWorkspace(options.files);
  return assemble({ issuer, sigstore, registry, workspace });
}

async function assemble(parts: Pick<World, 'issuer' | 'sigstore' | 'registry' | 'workspace'>): Promise<World> {
  const { issuer, sigstore, registry, workspace } = parts;
  const temp = await mkdtemp(join(tmpdir(), 'gitless-test-'));
  const trustedRoot = join(temp, 'trusted_root.json');
  const signingConfig = join(temp, 'signing_config.json');
  await writeFile(trustedRoot, sigstore.trustedRoot);
  await writeFile(signingConfig, sigstore.signingConfig);
  return {
    ...parts,
    temp,
    trustedRoot,
    signingConfig,
    run: actionRunner({ ...parts, temp, trustedRoot, signingConfig }),
    newJob: () => assemble(parts),
    async close() {
      await Promise.all([issuer.close(), sigstore.close(), registry.close(), workspace.cleanup()]);
      await rm(temp, { recursive: true, force: true });
    },
  };
}

/** What {@link actionRunner} needs to know of a world. */
export interface JobPlace {
  readonly issuer: TestIssuer;
  readonly registry: { readonly host: string };
  readonly workspace: Workspace;
  readonly temp: string;
  /** Paths. */
  readonly trustedRoot: string;
  readonly signingConfig: string;
}

/** {@link World.run} for any servers. */
export function actionRunner({
  issuer,
  registry,
  workspace,
  temp,
  trustedRoot,
  signingConfig,
}: JobPlace): World['run'] {
  const signing = { 'trusted-root': trustedRoot, 'signing-config': signingConfig, 'oidc-audience': AUDIENCE };
  const place = { 'trusted-root': trustedRoot, registry: `${registry.host}/acme`, 'plain-http': 'true' };
  const defaults: Record<ActionName, Record<string, string>> = {
    render: {},
    package: {},
    sign: signing,
    push: place,
    promote: { ...signing, ...place, ...SHIPPER, issuer: issuer.url },
  };
  return (action, inputs = {}, runOptions = {}) =>
    runAction({
      action,
      workspace,
      temp,
      oidc: { url: issuer.tokenRequestUrl, token: issuer.requestToken },
      inputs: given({ ...defaults[action], ...inputs }),
      ...runOptions,
      env: { GITLESS_HTTP_RETRIES: '0', GITLESS_HTTP_BACKOFF_MS: '1', ...runOptions.env },
    });
}

/** The identity under which the testkit's issuer lets jobs sign. */
export const SHIPPER = {
  identity: 'https://github.com/acme/shop/.github/workflows/ship.yml@refs/heads/main',
} as const;

function given(inputs: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Fails with the action's own log, so that a red test tells why. */
export function requireSuccess(run: ActionRun): ActionRun {
  if (run.exitCode !== 0) {
    throw new Error(`exit code ${run.exitCode}\n${run.log}`);
  }
  return run;
}
