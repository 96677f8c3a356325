import { join } from 'node:path';
import { type Action, mintIdToken, requireCommit, requireTrustedTrigger, runMain } from '@gitless/ci';
import { mapBounded } from '@gitless/core';
import type { RegistryClient } from '@gitless/oci';
import {
  asIdentity,
  type Cell,
  forgetResult,
  type Identity,
  openSigner,
  type Policy,
  type PromoteResult,
  type PromotionRequest,
  readConfig,
  readTrustedRoot,
  requireAllOk,
  requireOwnIdentity,
  requirePromotable,
  requireSettings,
  requireVersion,
  resolvePolicy,
  resolveServices,
  type ServiceSettings,
  serviceSettings,
  type TrustedRoot,
  type WorkDir,
  workDir,
  writeResult,
} from '@gitless/pipeline';
import { connectRegistry } from '@gitless/registry-auth';
import type { Signer } from '@gitless/signing';
import { prepareOne, promoteOne, recordPath } from './cells.ts';
import type { Inputs } from './inputs.ts';
import { type Candidate, readCandidates } from './places.ts';
import { summarize } from './summary.ts';

/** Most of the time a component waits for the log. */
const MAX_PARALLEL = 16;

export function main(inputs: Inputs): Promise<void> {
  return runMain('promote', (action) => promote(action, inputs));
}

async function promote(action: Action, inputs: Inputs): Promise<void> {
  const { build, workspace } = action;
  const dir = workDir(inputs['work-dir'] ?? join(action.temp, 'gitless'));
  await forgetResult(dir, 'promote');
  const trigger = requireTrustedTrigger(build, action.event, {
    allowEvents: inputs['allow-events'],
    allowRefs: inputs['allow-refs'],
  });
  const config = await readConfig(workspace, inputs.config);
  if (config !== undefined && trigger.onDefaultBranch) {
    // Its rules count because the run is on the default branch: then the file must be from there too (invariant 12).
    await requireCommit(action.context, build, workspace);
  }
  const policy = resolvePolicy(config, trigger.onDefaultBranch, {
    identity: inputs.identity,
    issuer: inputs.issuer,
    sourceRepository: inputs['source-repository'],
    trustedRoot: inputs['trusted-root'],
    signingConfig: inputs['signing-config'],
  });
  const settings = {
    signingConfig: policy.signingConfig,
    fulcioUrl: inputs['fulcio-url'],
    rekorUrl: inputs['rekor-url'],
    tsaUrl: inputs['tsa-url'],
  };
  const toSign = [['oidc-audience', inputs['oidc-audience']], serviceSettings(settings)] as const;
  requireSettings('promote', [
    ['identity and issuer', policy.identity],
    ['trusted-root', policy.trustedRoot],
    ['registry (or repository)', inputs.registry ?? inputs.repository ?? policy.registry],
    ...(inputs['dry-run'] ? [] : toSign),
  ]);
  requireVersion(inputs.version);
  requirePromotable(inputs.channel, policy.channels);
  const candidates = readCandidates(inputs, config, policy);
  const trustedRoot = await readTrustedRoot(workspace, policy.trustedRoot ?? '');
  const connected: { candidate: Candidate; client: RegistryClient }[] = [];
  for (const candidate of candidates) {
    connected.push({ candidate, client: await connect(action, candidate.source.registry, inputs) });
  }
  const promoter = await openPromoter(action, inputs, policy, { trustedRoot, settings });
  const optIns = [...trigger.optIns, ...promoter.optIns];
  const requests = connected.map(
    ({ candidate: { component, from, source, target }, client }): PromotionRequest => ({
      component,
      from,
      version: inputs.version,
      channel: inputs.channel,
      expectedCurrent: inputs['expected-current'],
      environment: inputs.environment,
      reason: inputs.reason,
      build,
      optIns,
      source: { client, repository: source.repository },
      target: { client, repository: target.repository },
      trustedRoot,
      shipper: asIdentity(policy.identity ?? { issuer: '', subject: '' }, build.serverUrl),
      promoter: promoter.identity,
    }),
  );

  const prepared = await mapBounded(requests, MAX_PARALLEL, action.context.signal, (request) =>
    prepareOne(action.context, request, promoter.signer),
  );

  // Tags move one after the other, each component's only once its own evidence is verified (invariant 13).
  const cells: Cell[] = [];
  for (const [index, request] of requests.entries()) {
    cells.push(await promoteOne(dir, request, prepared[index]));
  }
  const result: PromoteResult = {
    schema: 1,
    step: 'promote',
    build,
    dryRun: inputs['dry-run'],
    policy: 'none',
    cells,
    findings: findings(requests, promoter),
    ...(optIns.length === 0 ? {} : { optIns }),
  };
  action.setOutput('result', await writeResult(dir, result));
  setOutputs(action, dir, cells);
  if (inputs.summary) {
    await action.writeSummary(summarize(result, { inputs, requests }));
  }
  requireAllOk(cells.map(({ component, ...cell }) => ({ ...cell, name: component })));
}

/** The identity whose earlier promotions count, with a signer unless this is a plan. */
interface Promoter {
  readonly identity: Identity;
  readonly signer: Signer | undefined;
  /** Opt-ins of the workflow file that this identity needed. */
  readonly optIns: readonly string[];
}

/** A plan has no token: it assumes the identity of the workflow that runs, and says so. */
async function openPromoter(
  action: Action,
  inputs: Inputs,
  policy: Policy,
  { trustedRoot, settings }: { readonly trustedRoot: TrustedRoot; readonly settings: ServiceSettings },
): Promise<Promoter> {
  const { context, build } = action;
  const sourceRepository = `${build.serverUrl}/${build.repository}`;
  if (inputs['dry-run']) {
    const issuer = policy.identity?.issuer ?? '';
    return {
      identity: { issuer, subject: `${build.serverUrl}/${build.workflowRef}`, sourceRepository },
      signer: undefined,
      optIns: [],
    };
  }
  const services = await resolveServices(context, action.workspace, settings);
  const token = await mintIdToken(context, build, action.event, inputs['oidc-audience'] ?? '');
  const optIns = requireOwnIdentity(token, build, {
    sharedIdentity: inputs['shared-identity'],
    environment: inputs.environment,
  });
  const signer = await openSigner(context, token, services, trustedRoot);
  const { issuer, subject } = signer.certificate;
  return { identity: { issuer, subject, sourceRepository }, signer, optIns };
}

function connect(action: Action, registry: string, inputs: Inputs): Promise<RegistryClient> {
  return connectRegistry(action.context, {
    registry,
    plainHttp: inputs['plain-http'],
    actor: action.build.actor,
    ...(inputs.username === undefined ? {} : { username: inputs.username }),
    ...(inputs.password === undefined ? {} : { password: inputs.password }),
    ...(inputs.token === undefined ? {} : { token: inputs.token }),
    ...(inputs['job-token'] === undefined ? {} : { jobToken: inputs['job-token'] }),
  });
}

function findings(requests: readonly PromotionRequest[], { identity, signer, optIns }: Promoter): string[] {
  const shared = requests
    .filter(({ source, target }) => source.repository === target.repository)
    .map(({ component }) => component);
  return [
    'policy: none; nobody but the environment of this job decided',
    ...(signer === undefined
      ? [`the promoting identity is assumed to be ${identity.subject}: a plan has no token`]
      : []),
    ...(requests.some(({ shipper }) => shipper.subject === identity.subject)
      ? [
          'shipping and promoting workflow are the same identity, so production cannot tell a promotion from a candidate',
        ]
      : []),
    ...(optIns.length === 0
      ? []
      : [`shared identity: every repository whose workflows call ${identity.subject} promotes under this name`]),
    ...(shared.length === 0
      ? []
      : [
          `${shared.join(', ')}: candidates and production share a repository, so whoever ships could move the channel to an earlier promoted digest`,
        ]),
  ];
}

function setOutputs(action: Action, dir: WorkDir, cells: readonly Cell[]): void {
  const done = cells.filter(({ status }) => status !== 'failed');
  const [only] = done;
  const single = done.length === 1 ? only : undefined;
  action.setOutput('digest', single?.digest ?? '');
  action.setOutput('previous-digest', single?.previousDigest ?? '');
  action.setOutput('record-path', single?.status === 'promoted' ? recordPath(dir, single.component) : '');
  action.setOutput('promoted', String(done.some(({ status }) => status === 'promoted')));
  action.setOutput(
    'digests',
    JSON.stringify(Object.fromEntries(done.map(({ component, digest }) => [component, digest]))),
  );
}
