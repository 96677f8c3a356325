import { join, resolve } from 'node:path';
import { type Action, mintIdToken, policySource, requireTrustedTrigger, runMain, setDigestOutputs } from '@gitless/ci';
import { mapBounded, PREDICATE, type Settled } from '@gitless/core';
import {
  addEntries,
  asDigest,
  type ComponentResult,
  failureOf,
  filterByName,
  forgetResult,
  openSession,
  type Policy,
  type Result,
  readPolicy,
  readResult,
  readTrustedRoot,
  requireAllOk,
  requireSettings,
  resolveServices,
  type SignedBundle,
  serviceSettings,
  signComponent,
  type WorkDir,
  withFormerFailures,
  workDir,
  writeFileAtomic,
  writeResult,
} from '@gitless/pipeline';
import { fluxTrustedRoot } from '@gitless/signing';
import type { Inputs } from './inputs.ts';
import { summarize } from './summary.ts';

/** Rekor v2 answers at its next checkpoint, whatever their number: waiting costs nothing but time. */
const MAX_PARALLEL = 50;

export function main(inputs: Inputs): Promise<void> {
  return runMain('sign', (action) => sign(action, inputs));
}

async function sign(action: Action, inputs: Inputs): Promise<void> {
  const { context, build, workspace } = action;
  const dir = workDir(inputs['work-dir'] ?? join(action.temp, 'gitless'));
  await forgetResult(dir, 'sign');
  const trigger = requireTrustedTrigger(build, action.event, inputs);
  const { policy } = await readPolicy(policySource(action, trigger), inputs);
  const { trustedRoot, services } = await readInstance(action, inputs, policy);
  const fluxRoot = fluxTrustedRoot(trustedRoot, services.rekorUrl);
  const packaged = await readResult(dir, 'package', build);
  const listed: ComponentResult[] = filterByName(packaged.components, inputs.components);
  const components = listed.filter(({ status }) => status === 'ok');

  const token = await mintIdToken(context, build, action.event, inputs['oidc-audience'] ?? '');
  const session = await openSession(context, token, build, {
    services,
    trustedRoot,
    rules: { sharedIdentity: inputs['shared-identity'], environment: undefined },
  });
  const layout = inputs.layout === undefined ? dir.layout : resolve(workspace, inputs.layout);
  const outcomes = await mapBounded(components, MAX_PARALLEL, context.signal, (component) =>
    signComponent(context, {
      layout,
      statements: dir.statements,
      component: component.name,
      digest: asDigest(component.digest),
      build,
      builderId: `${build.serverUrl}/${token.claims.job_workflow_ref}`,
      signer: session.signer,
      trustedRoot,
    }),
  );
  const signed = outcomes.flatMap((outcome) => (outcome.ok ? outcome.value : []));
  await addEntries(
    layout,
    signed.map(({ entry }) => entry),
  );

  const done = components.map((component, index) => toComponent(component, outcomes[index]));
  const optIns = [...trigger.optIns, ...session.optIns];
  const { issuer, subject } = session.signer.certificate;
  const result: Result = {
    schema: 1,
    step: 'sign',
    build,
    components: withFormerFailures(done, listed),
    findings: packaged.findings,
    signer: { issuer, subject },
    ...(optIns.length === 0 ? {} : { optIns }),
  };
  await setOutputs(action, dir, result, fluxRoot);
  await setSignatureOutputs(action, dir, result, signed);
  if (inputs.summary) {
    await action.writeSummary(summarize(result, { sharedIdentity: session.optIns.length > 0, fluxRoot }));
  }
  requireAllOk(result.components);
}

/** The Sigstore instance that signs and what it is trusted by; all that is missing is told at once, before a token is asked for. */
async function readInstance({ context, workspace }: Action, inputs: Inputs, policy: Policy) {
  const settings = { ...inputs, 'signing-config': policy.signingConfig };
  requireSettings('sign', [
    ['trusted-root', policy.trustedRoot],
    ['oidc-audience', inputs['oidc-audience']],
    serviceSettings(settings),
  ]);
  const trustedRoot = await readTrustedRoot(workspace, policy.trustedRoot ?? '');
  return { trustedRoot, services: await resolveServices(context, workspace, settings) };
}

function toComponent(component: ComponentResult, outcome: Settled<SignedBundle[]> | undefined): ComponentResult {
  return outcome?.ok
    ? { ...component, bundles: outcome.value.map(describeBundle) }
    : { name: component.name, status: 'failed', error: failureOf(outcome?.error) };
}

function describeBundle({ predicateType, digest, logIndex }: SignedBundle) {
  return { predicateType, digest, logIndex };
}

async function setOutputs(action: Action, dir: WorkDir, result: Result, fluxRoot: string): Promise<void> {
  const rootFile = join(dir.root, 'flux-trusted-root.json');
  await writeFileAtomic(rootFile, fluxRoot);
  action.setOutput('flux-trusted-root', rootFile);
  action.setOutput('result', await writeResult(dir, result));
  action.setOutput('identity', result.signer?.subject ?? '');
  action.setOutput('issuer', result.signer?.issuer ?? '');
  setDigestOutputs(action, result.components);
}

/** `bundle-path` and `log-index` are of the signature statement of a single component; with several the result has them all. */
async function setSignatureOutputs(
  action: Action,
  dir: WorkDir,
  result: Result,
  signed: readonly SignedBundle[],
): Promise<void> {
  const [component, ...others] = result.components;
  const signature = signed.find(({ predicateType }) => predicateType === PREDICATE.signature);
  if (component === undefined || others.length > 0 || signature === undefined) {
    action.setOutput('bundle-path', '');
    action.setOutput('log-index', '');
    return;
  }
  const path = join(dir.root, 'bundles', `${component.name}.sigstore.json`);
  await writeFileAtomic(path, signature.bundle);
  action.setOutput('bundle-path', path);
  action.setOutput('log-index', signature.logIndex);
}
