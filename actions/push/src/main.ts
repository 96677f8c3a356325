import { join, resolve } from 'node:path';
import { type Action, policySource, requireTrustedTrigger, runMain, setDigestOutputs } from '@gitless/ci';
import { type Build, mapBounded, type Settled, UserError } from '@gitless/core';
import { parseRepository, type RegistryClient, type Repository } from '@gitless/oci';
import {
  asDigest,
  asIdentity,
  type ComponentResult,
  failureOf,
  filterByName,
  forgetResult,
  type Identity,
  moveChannels,
  otherRefTags,
  type Policy,
  type Published,
  type PublishRequest,
  publishContent,
  pushTags,
  type Result,
  readPolicy,
  readResult,
  readTrustedRoot,
  requireAllOk,
  requireSettings,
  type WorkDir,
  withFormerFailures,
  workDir,
  writeResult,
} from '@gitless/pipeline';
import { connectRegistry } from '@gitless/registry-auth';
import type { Inputs } from './inputs.ts';
import { summarize } from './summary.ts';

const MAX_PARALLEL = 16;

export function main(inputs: Inputs): Promise<void> {
  return runMain('push', (action) => push(action, inputs));
}

async function push(action: Action, inputs: Inputs): Promise<void> {
  const { context, build, workspace } = action;
  const dir = workDir(inputs['work-dir'] ?? join(action.temp, 'gitless'));
  await forgetResult(dir, 'push');
  const trigger = requireTrustedTrigger(build, action.event, inputs);
  const { config, policy } = await readPolicy(policySource(action, trigger), inputs);
  const tags = trigger.onDefaultBranch ? pushTags(inputs.tags, policy.channels) : otherRefTags(inputs, config);
  requireSettings('push', [
    ['trusted-root', policy.trustedRoot],
    ['registry (or repository)', inputs.registry ?? inputs.repository ?? policy.registry],
  ]);
  const trustedRoot = await readTrustedRoot(workspace, policy.trustedRoot ?? '');
  const signed = await readResult(dir, 'sign', build);
  const listed: ComponentResult[] = filterByName(signed.components, inputs.components);
  requireOnePlace(listed.length, inputs);
  const components = listed.filter(({ status }) => status === 'ok');
  const identity = expectedIdentity(policy, signed, build, inputs['source-repository']);
  const layout = inputs.layout === undefined ? dir.layout : resolve(workspace, inputs.layout);
  const candidates = await connectAll(action, components, inputs, policy, {
    layout,
    build,
    identity,
    trustedRoot,
    tags,
  });
  const published = await mapBounded(candidates, MAX_PARALLEL, context.signal, ({ request }) =>
    publishContent(context, request),
  );

  // Channels move one after the other, each component's only once its own content is verified (invariant 13).
  const done: ComponentResult[] = [];
  for (const [index, candidate] of candidates.entries()) {
    done.push(await tagOne(candidate, published[index]));
  }
  const result: Result = {
    schema: 1,
    step: 'push',
    build,
    components: withFormerFailures(done, listed),
    findings: [
      ...signed.findings,
      ...(policy.identity === undefined
        ? ['identity: as signed in this run; nobody else said who must have signed']
        : []),
    ],
    signer: { issuer: identity.issuer, subject: identity.subject },
    ...(trigger.optIns.length === 0 ? {} : { optIns: [...trigger.optIns] }),
  };
  await setOutputs(action, dir, result);
  if (inputs.summary) {
    await action.writeSummary(summarize(result, tags));
  }
  requireAllOk(result.components);
}

/** One component and what is to be published of it. */
interface Candidate {
  readonly component: ComponentResult;
  readonly request: PublishRequest;
}

/** One client a registry, so that its tokens serve all components. */
async function connectAll(
  action: Action,
  components: readonly ComponentResult[],
  inputs: Inputs,
  policy: Policy,
  shared: Omit<PublishRequest, 'component' | 'digest' | 'client' | 'repository'>,
): Promise<Candidate[]> {
  const clients = new Map<string, RegistryClient>();
  const candidates: Candidate[] = [];
  for (const component of components) {
    const { registry, repository } = placeOf(component.name, inputs, policy);
    const client =
      clients.get(registry) ??
      (await connectRegistry(action.context, { ...inputs, registry, actor: action.build.actor }));
    clients.set(registry, client);
    const digest = asDigest(component.digest);
    candidates.push({ component, request: { ...shared, component: component.name, digest, client, repository } });
  }
  return candidates;
}

async function tagOne(
  { component, request }: Candidate,
  published: Settled<Published> | undefined,
): Promise<ComponentResult> {
  try {
    if (!published?.ok) {
      throw published?.error;
    }
    await moveChannels(request, published.value);
    const repository = `${request.client.registry}/${request.repository}`;
    const { tag, bundles } = published.value;
    return { ...component, repository, tags: [tag, ...request.tags], bundles: [...bundles] };
  } catch (error) {
    return { name: component.name, status: 'failed', error: failureOf(error) };
  }
}

/** Who must have signed: as the policy says, else who signed in this run (design §4c). Throws `BAD_RESULT`. */
function expectedIdentity(
  policy: Policy,
  signed: Result,
  build: Build,
  sourceRepository: string | undefined,
): Identity {
  const identity = policy.identity ?? signed.signer;
  if (identity === undefined) {
    throw new UserError({
      code: 'BAD_RESULT',
      what: 'the result of sign does not say who signed',
      fix: 'run sign again in this job, from the same version of the suite as push',
    });
  }
  return asIdentity({ repository: sourceRepository ?? build.repository, ...identity }, build.serverUrl);
}

/** Counts failed components too: which place is meant must not depend on how many are left. Throws `BAD_INPUTS`. */
function requireOnePlace(count: number, { registry, repository }: Inputs): void {
  if (repository !== undefined && (count > 1 || registry !== undefined)) {
    throw new UserError({
      code: 'BAD_INPUTS',
      what: count > 1 ? 'repository names one place for several components' : 'registry and repository are both given',
      fix: 'give registry as a prefix: each component gets <registry>/<component>',
    });
  }
}

/** `<registry>/<component>`, or `repository` for a single component. */
function placeOf(component: string, inputs: Inputs, policy: Policy): Repository {
  return inputs.repository === undefined
    ? parseRepository('registry', `${inputs.registry ?? policy.registry}/${component}`)
    : parseRepository('repository', inputs.repository);
}

async function setOutputs(action: Action, dir: WorkDir, result: Result): Promise<void> {
  action.setOutput('result', await writeResult(dir, result));
  setDigestOutputs(action, result.components);
  const shipped = result.components.filter(({ status }) => status === 'ok');
  const [only] = result.components.length === 1 ? shipped : [];
  action.setOutput('reference', only === undefined ? '' : `${only.repository}@${only.digest}`);
  action.setOutput('pushed', String(shipped.length > 0));
}
