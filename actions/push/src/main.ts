import { join, resolve } from 'node:path';
import { type Action, requireTrustedTrigger, runMain, setDigestOutputs, type Trigger } from '@gitless/ci';
import { type Build, mapBounded, type Settled, UserError } from '@gitless/core';
import { parseRepository, type RegistryClient, type Repository } from '@gitless/oci';
import {
  asDigest,
  asIdentity,
  type ComponentResult,
  type Config,
  failureOf,
  filterByName,
  forgetResult,
  type Policy,
  type Published,
  type PublishRequest,
  publishContent,
  pushTags,
  type Result,
  readConfig,
  readResult,
  readTrustedRoot,
  requireAllOk,
  requireSettings,
  resolvePolicy,
  tagPublished,
  workDir,
  writeResult,
} from '@gitless/pipeline';
import { connectRegistry } from '@gitless/registry-auth';
import type { Inputs } from './inputs.ts';
import { summarize } from './summary.ts';

const MAX_PARALLEL = 8;

export function main(inputs: Inputs): Promise<void> {
  return runMain('push', (action) => push(action, inputs));
}

async function push(action: Action, inputs: Inputs): Promise<void> {
  const { context, build, workspace } = action;
  const dir = workDir(inputs['work-dir'] ?? join(action.temp, 'gitless'));
  await forgetResult(dir, 'push');
  const trigger = requireTrustedTrigger(build, action.event, {
    allowEvents: inputs['allow-events'],
    allowRefs: inputs['allow-refs'],
  });
  const config = await readConfig(workspace, inputs.config);
  const policy = resolvePolicy(config, trigger.onDefaultBranch, {
    identity: inputs.identity,
    issuer: inputs.issuer,
    sourceRepository: inputs['source-repository'],
    trustedRoot: inputs['trusted-root'],
    signingConfig: undefined,
  });
  const tags = channelTags(trigger, inputs, config, policy);
  requireSettings('push', [
    ['trusted-root', policy.trustedRoot],
    ['registry (or repository)', inputs.registry ?? inputs.repository ?? policy.registry],
  ]);
  const trustedRoot = await readTrustedRoot(workspace, policy.trustedRoot ?? '');
  const signed = await readResult(dir, 'sign', build);
  const listed: ComponentResult[] = filterByName(signed.components, inputs.components);
  const components = listed.filter(({ status }) => status === 'ok');
  const identity = expectedIdentity(policy, signed, build, inputs['source-repository']);
  const layout = inputs.layout === undefined ? dir.layout : resolve(workspace, inputs.layout);
  const connections = new Map<string, RegistryClient>();
  const requests: PublishRequest[] = [];
  for (const { name, digest } of components) {
    const { registry, repository } = placeOf(name, components.length, inputs, policy);
    const client = connections.get(registry) ?? (await connect(action, registry, inputs));
    connections.set(registry, client);
    requests.push({
      layout,
      component: name,
      digest: asDigest(digest),
      build,
      client,
      repository,
      identity,
      trustedRoot,
      tags,
    });
  }
  const published = await mapBounded(requests, MAX_PARALLEL, context.signal, (request) =>
    publishContent(context, request),
  );

  // Tags move one after the other, each component's only once its own content is verified (invariant 13).
  const done: ComponentResult[] = [];
  for (const [index, component] of components.entries()) {
    const request = requests[index];
    if (request !== undefined) {
      done.push(await tagOne(request, published[index], component));
    }
  }
  const result: Result = {
    schema: 1,
    step: 'push',
    build,
    components: [...done, ...listed.filter(({ status }) => status === 'failed')].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
    findings: [
      ...signed.findings,
      ...(policy.identity === undefined
        ? ['identity: as signed in this run; nobody else said who must have signed']
        : []),
    ],
    signer: { issuer: identity.issuer, subject: identity.subject },
    ...(trigger.optIns.length === 0 ? {} : { optIns: [...trigger.optIns] }),
  };
  action.setOutput('result', await writeResult(dir, result));
  setDigestOutputs(action, result.components);
  const shipped = done.filter(({ status }) => status === 'ok');
  const [only] = shipped;
  action.setOutput('reference', shipped.length === 1 && only ? `${only.repository}@${only.digest}` : '');
  action.setOutput('pushed', String(shipped.length > 0));
  if (inputs.summary) {
    await action.writeSummary(summarize(result, tags));
  }
  requireAllOk(result.components);
}

async function tagOne(
  request: PublishRequest,
  published: Settled<Published> | undefined,
  component: ComponentResult,
): Promise<ComponentResult> {
  try {
    if (!published?.ok) {
      throw published?.error;
    }
    const tags = await tagPublished(request, published.value);
    const repository = `${request.client.registry}/${request.repository}`;
    return { ...component, repository, tags, bundles: [...published.value.bundles] };
  } catch (error) {
    return { name: component.name, status: 'failed', error: failureOf(error) };
  }
}

/**
 * Invariant 12: on another ref than the default branch `push` takes nothing from `gitless.yaml`, wants tags, identity and issuer written in
 * the workflow file, and writes no channel that the default branch writes. Throws `SETTING_MISSING` or `TAG_REFUSED`.
 */
function channelTags(trigger: Trigger, inputs: Inputs, config: Config | undefined, policy: Policy): string[] {
  if (trigger.onDefaultBranch) {
    return pushTags(inputs.tags, policy.channels);
  }
  requireSettings('push on this ref', [
    ['tags', inputs.tags.length > 0 ? inputs.tags : undefined],
    ['identity', inputs.identity],
    ['issuer', inputs.issuer],
  ]);
  // The file of this ref can only take channels away here, never give one.
  const reserved = new Set(['latest', ...Object.keys(config?.channels ?? {})]);
  const taken = inputs.tags.filter((tag) => reserved.has(tag));
  if (taken.length > 0) {
    throw new UserError({
      code: 'TAG_REFUSED',
      what: `${taken.join(', ')} belongs to the default branch`,
      why: 'a cluster that follows it would get what was not merged',
      fix: 'give this ref a channel of its own, such as next',
    });
  }
  return pushTags(inputs.tags, undefined);
}

function expectedIdentity(policy: Policy, signed: Result, build: Build, sourceRepository: string | undefined) {
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

/** `<registry>/<component>`, or `repository` for a single component. */
function placeOf(name: string, count: number, inputs: Inputs, policy: Policy): Repository {
  if (inputs.repository !== undefined) {
    if (count > 1 || inputs.registry !== undefined) {
      throw new UserError({
        code: 'BAD_INPUTS',
        what:
          count > 1 ? 'repository names one place for several components' : 'registry and repository are both given',
        fix: 'give registry as a prefix: each component gets <registry>/<component>',
      });
    }
    return parseRepository('repository', inputs.repository);
  }
  return parseRepository('registry', `${inputs.registry ?? policy.registry}/${name}`);
}

function connect(action: Action, registry: string, inputs: Inputs) {
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
