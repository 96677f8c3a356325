import { join } from 'node:path';
import { type Action, mintIdToken, policySource, requireTrustedTrigger, runMain, setDigestOutputs } from '@gitless/ci';
import { mapBounded } from '@gitless/core';
import type { RegistryClient } from '@gitless/oci';
import {
  asIdentity,
  type Cell,
  forgetResult,
  type Identity,
  openSession,
  type Policy,
  type PromoteResult,
  type PromotionRequest,
  readPolicy,
  readTrustedRoot,
  requireAllOk,
  requirePromotable,
  requireSettings,
  requireVersion,
  resolveServices,
  type ServiceSettings,
  serviceSettings,
  type WorkDir,
  workDir,
  writeResult,
} from '@gitless/pipeline';
import { connectRegistry } from '@gitless/registry-auth';
import type { Signer, TrustedRoot } from '@gitless/signing';
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
  const { context, build, workspace } = action;
  const dir = workDir(inputs['work-dir'] ?? join(action.temp, 'gitless'));
  await forgetResult(dir, 'promote');
  const trigger = requireTrustedTrigger(build, action.event, inputs);
  const { config, policy } = await readPolicy(policySource(action, trigger), inputs);
  requireInputs(inputs, policy);
  const candidates = readCandidates(inputs, config, policy);
  const trustedRoot = await readTrustedRoot(workspace, policy.trustedRoot ?? '');
  const connected = await connectAll(action, candidates, inputs);
  const promoter = await openPromoter(action, inputs, policy, trustedRoot);
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
  const prepared = await mapBounded(requests, MAX_PARALLEL, context.signal, (request) =>
    prepareOne(context, request, promoter.signer),
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
  await setOutputs(action, dir, result);
  if (inputs.summary) {
    await action.writeSummary(summarize(result, { inputs, requests }));
  }
  requireAllOk(cells.map(asComponent));
}

/** All that is missing is told at once, before anything is asked for. */
function requireInputs(inputs: Inputs, policy: Policy): void {
  const toSign = [['oidc-audience', inputs['oidc-audience']], serviceSettings(settingsOf(inputs, policy))] as const;
  requireSettings('promote', [
    ['identity and issuer', policy.identity],
    ['trusted-root', policy.trustedRoot],
    ['registry (or repository)', inputs.registry ?? inputs.repository ?? policy.registry],
    ...(inputs['dry-run'] ? [] : toSign),
  ]);
  requireVersion(inputs.version);
  requirePromotable(inputs.channel, policy.channels);
}

function settingsOf(inputs: Inputs, policy: Policy): ServiceSettings {
  return { ...inputs, 'signing-config': policy.signingConfig };
}

/** One client a registry, so that its tokens serve all components. */
async function connectAll(action: Action, candidates: readonly Candidate[], inputs: Inputs) {
  const clients = new Map<string, RegistryClient>();
  const connected: { candidate: Candidate; client: RegistryClient }[] = [];
  for (const candidate of candidates) {
    const { registry } = candidate.source;
    const client =
      clients.get(registry) ??
      (await connectRegistry(action.context, { ...inputs, registry, actor: action.build.actor }));
    clients.set(registry, client);
    connected.push({ candidate, client });
  }
  return connected;
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
  trustedRoot: TrustedRoot,
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
  const services = await resolveServices(context, action.workspace, settingsOf(inputs, policy));
  const token = await mintIdToken(context, build, action.event, inputs['oidc-audience'] ?? '');
  const { signer, optIns } = await openSession(context, token, build, {
    services,
    trustedRoot,
    rules: { sharedIdentity: inputs['shared-identity'], environment: inputs.environment },
  });
  const { issuer, subject } = signer.certificate;
  return { identity: { issuer, subject, sourceRepository }, signer, optIns };
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

/** As the other steps name it. */
function asComponent({ component, ...cell }: Cell) {
  return { ...cell, name: component };
}

async function setOutputs(action: Action, dir: WorkDir, result: PromoteResult): Promise<void> {
  const { cells } = result;
  action.setOutput('result', await writeResult(dir, result));
  setDigestOutputs(action, cells.map(asComponent));
  const only = cells.length === 1 ? cells.find(({ status }) => status !== 'failed') : undefined;
  action.setOutput('previous-digest', only?.previousDigest ?? '');
  action.setOutput('record-path', only?.status === 'promoted' ? recordPath(dir, only.component) : '');
  action.setOutput('promoted', String(cells.some(({ status }) => status === 'promoted')));
}
