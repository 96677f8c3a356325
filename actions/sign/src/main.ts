import { join, resolve } from 'node:path';
import { type Action, mintIdToken, requireTrustedTrigger, runMain, setDigestOutputs } from '@gitless/ci';
import { mapBounded, PREDICATE } from '@gitless/core';
import {
  addEntries,
  asDigest,
  type ComponentResult,
  failureOf,
  filterByName,
  forgetResult,
  openSigner,
  type Result,
  readConfig,
  readResult,
  readTrustedRoot,
  requireAllOk,
  requireOwnIdentity,
  requireSettings,
  resolvePolicy,
  resolveServices,
  type SignedBundle,
  serviceSettings,
  signComponent,
  workDir,
  writeFileAtomic,
  writeResult,
} from '@gitless/pipeline';
import { fluxTrustedRoot } from '@gitless/signing';
import type { Inputs } from './inputs.ts';
import { summarize } from './summary.ts';

/** Rekor v2 answers at its next checkpoint, whatever their number: waiting costs nothing but time. */
const MAX_PARALLEL = 32;

export function main(inputs: Inputs): Promise<void> {
  return runMain('sign', (action) => sign(action, inputs));
}

async function sign(action: Action, inputs: Inputs): Promise<void> {
  const { context, build, workspace } = action;
  const dir = workDir(inputs['work-dir'] ?? join(action.temp, 'gitless'));
  await forgetResult(dir, 'sign');
  const trigger = requireTrustedTrigger(build, action.event, {
    allowEvents: inputs['allow-events'],
    allowRefs: inputs['allow-refs'],
  });
  const policy = resolvePolicy(await readConfig(workspace, inputs.config), trigger.onDefaultBranch, {
    identity: undefined,
    issuer: undefined,
    sourceRepository: undefined,
    trustedRoot: inputs['trusted-root'],
    signingConfig: inputs['signing-config'],
  });
  const audience = inputs['oidc-audience'];
  const settings = {
    signingConfig: policy.signingConfig,
    fulcioUrl: inputs['fulcio-url'],
    rekorUrl: inputs['rekor-url'],
    tsaUrl: inputs['tsa-url'],
  };
  requireSettings('sign', [
    ['trusted-root', policy.trustedRoot],
    ['oidc-audience', audience],
    serviceSettings(settings),
  ]);
  const trustedRoot = await readTrustedRoot(workspace, policy.trustedRoot ?? '');
  const services = await resolveServices(context, workspace, settings);
  const fluxRoot = fluxTrustedRoot(trustedRoot, services.rekorUrl);
  const packaged = await readResult(dir, 'package', build);
  const listed: ComponentResult[] = filterByName(packaged.components, inputs.components);
  const components = listed.filter(({ status }) => status === 'ok');

  const token = await mintIdToken(context, build, action.event, audience ?? '');
  const shared = requireOwnIdentity(token, build, {
    sharedIdentity: inputs['shared-identity'],
    environment: undefined,
  });
  const optIns = [...trigger.optIns, ...shared];
  const signer = await openSigner(context, token, services, trustedRoot);
  context.log.info(`signing as ${signer.certificate.subject}`);
  const layout = inputs.layout === undefined ? dir.layout : resolve(workspace, inputs.layout);
  const outcomes = await mapBounded(components, MAX_PARALLEL, context.signal, (component) =>
    signComponent(context, {
      layout,
      statements: dir.statements,
      component: component.name,
      digest: asDigest(component.digest),
      build,
      builderId: `${build.serverUrl}/${token.claims.job_workflow_ref}`,
      signer,
      trustedRoot,
    }),
  );
  const signed = outcomes.flatMap((outcome) => (outcome.ok ? outcome.value : []));
  await addEntries(
    layout,
    signed.map(({ entry }) => entry),
  );

  const done = components.map((component, index): ComponentResult => {
    const outcome = outcomes[index];
    return outcome?.ok
      ? { ...component, bundles: outcome.value.map(describeBundle) }
      : { name: component.name, status: 'failed', error: failureOf(outcome?.error) };
  });
  const result: Result = {
    schema: 1,
    step: 'sign',
    build,
    components: [...done, ...listed.filter(({ status }) => status === 'failed')].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
    findings: packaged.findings,
    signer: { issuer: signer.certificate.issuer, subject: signer.certificate.subject },
    ...(optIns.length === 0 ? {} : { optIns }),
  };
  const rootFile = join(dir.root, 'flux-trusted-root.json');
  await writeFileAtomic(rootFile, fluxRoot);
  action.setOutput('result', await writeResult(dir, result));
  action.setOutput('identity', signer.certificate.subject);
  action.setOutput('issuer', signer.certificate.issuer);
  action.setOutput('flux-trusted-root', rootFile);
  setDigestOutputs(action, result.components);
  await setSignatureOutputs(action, dir.root, done, signed);
  if (inputs.summary) {
    await action.writeSummary(summarize(result, { sharedIdentity: shared.length > 0, fluxRoot }));
  }
  requireAllOk(result.components);
}

function describeBundle({ predicateType, digest, verified }: SignedBundle) {
  return { predicateType, digest, logIndex: verified.logIndex };
}

/** `bundle-path` and `log-index` are of the one signature statement; with several components the result has them all. */
async function setSignatureOutputs(
  action: Action,
  root: string,
  components: readonly ComponentResult[],
  signed: readonly SignedBundle[],
): Promise<void> {
  const signatures = signed.filter(({ predicateType }) => predicateType === PREDICATE.signature);
  const [only] = signatures;
  if (only === undefined || signatures.length > 1) {
    action.setOutput('bundle-path', '');
    action.setOutput('log-index', '');
    return;
  }
  const name = components.find(({ status }) => status === 'ok')?.name ?? 'artifact';
  const path = join(root, 'bundles', `${name}.sigstore.json`);
  await writeFileAtomic(path, only.bundle);
  action.setOutput('bundle-path', path);
  action.setOutput('log-index', only.verified.logIndex);
}
