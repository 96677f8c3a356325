import { join } from 'node:path';
import { type Action, commitDate, requireCommit, runMain, setDigestOutputs } from '@gitless/ci';
import { canonicalJson, mapBounded, sha256, UserError } from '@gitless/core';
import {
  asDigest,
  type ComponentResult,
  failureOf,
  filterByName,
  forgetResult,
  type PackagedComponent,
  packageComponent,
  type RenderedTree,
  type Result,
  readConfig,
  requireAllOk,
  resolveComponents,
  workDir,
  writePackages,
  writeResult,
} from '@gitless/pipeline';
import { runChecks } from './checks.ts';
import type { Inputs } from './inputs.ts';
import { ownComponents, requireOwn } from './own-components.ts';
import { directorySource, renderedTree, type Source, treeSource } from './sources.ts';
import { summarize } from './summary.ts';

const MAX_PARALLEL = 4;

interface Outcome {
  readonly packaged: PackagedComponent;
  readonly source: Source;
  readonly findings: readonly string[];
}

export function main(inputs: Inputs): Promise<void> {
  return runMain('package', (action) => packageAll(action, inputs));
}

async function packageAll(action: Action, inputs: Inputs): Promise<void> {
  const { context, workspace } = action;
  const dir = workDir(inputs['work-dir'] ?? join(action.temp, 'gitless'));
  await forgetResult(dir, 'package');
  const rendered = await renderedTree(action, dir, inputs);
  const listed: readonly ComponentResult[] =
    rendered === undefined ? [] : filterByName(rendered.result.components, inputs.components);
  const config = await readConfig(workspace, inputs.config);
  const own = rendered === undefined ? resolveComponents(workspace, config, inputs) : ownComponents(workspace, config);
  requireOwn(listed, own);
  const components: readonly { readonly name: string; readonly path?: string }[] =
    rendered === undefined ? (own ?? []) : listed.filter(({ status }) => status === 'ok');
  const created = inputs.created ?? (await committed(action));
  const outcomes = await mapBounded(components, MAX_PARALLEL, context.signal, async (component) => {
    const source =
      rendered === undefined
        ? await directorySource(action, component, inputs)
        : treeSource(rendered, component.name, own);
    return packageOne(action, source, rendered, created, inputs);
  });

  const done = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
  const failed: ComponentResult[] = listed.filter(({ status }) => status === 'failed');
  for (const [index, outcome] of outcomes.entries()) {
    const name = components[index]?.name;
    if (!outcome.ok && name !== undefined) {
      failed.push({ name, status: 'failed', error: failureOf(outcome.error) });
    }
  }
  const result = toResult(action, done, failed, rendered);
  await writePackages(
    dir,
    done.map(({ packaged }) => packaged),
  );
  action.setOutput('result', await writeResult(dir, result));
  if (done.length > 0) {
    action.setOutput('layout', dir.layout);
    setDigestOutputs(action, result.components);
  }
  if (inputs.summary) {
    await action.writeSummary(summarize(result));
  }
  requireAllOk(result.components);
}

/** The committer date of this run's commit, which the checkout must be. */
async function committed({ context, build, workspace }: Action): Promise<string> {
  await requireCommit(context, build, workspace);
  return commitDate(context, workspace);
}

async function packageOne(
  action: Action,
  source: Source,
  rendered: RenderedTree | undefined,
  created: string,
  inputs: Inputs,
): Promise<Outcome> {
  const { name, files } = source;
  if (files.length === 0) {
    throw new UserError({
      code: 'NOTHING_TO_PACK',
      what: `${name} holds no file`,
      why: 'a cluster that applies an empty artifact deletes everything that it had applied',
      fix: 'correct the path, or look at what .sourceignore and .gitignore leave out',
    });
  }
  const { checks, objects, findings } = runChecks(source, inputs['allow-secrets']);
  const packaged = packageComponent({
    build: action.build,
    component: name,
    files,
    objects,
    checks,
    environments: source.environments,
    pathPrefix: prefixOf(name, inputs),
    created,
    annotations: Object.fromEntries(inputs.annotations),
    tools: (rendered?.result.tools ?? []).map((tool) => ({
      name: tool.name,
      version: tool.version,
      digest: asDigest(tool.digest),
      reportedBy: 'render job',
    })),
    flags: flags(source, inputs),
    ...(inputs.source === undefined ? {} : { source: inputs.source }),
    ...(inputs.revision === undefined ? {} : { revision: inputs.revision }),
    ...(source.path === undefined ? {} : { path: source.path }),
    ...(source.engine === undefined ? {} : { engine: source.engine }),
    ...(rendered === undefined ? {} : { renderReport: sha256(canonicalJson(rendered.result)) }),
  });
  return { packaged, source, findings };
}

function prefixOf(name: string, inputs: Inputs): string {
  return inputs['path-prefix'].replace('{component}', name);
}

/** What changed the artifact or weakened a check, for the provenance. */
function flags(source: Source, inputs: Inputs): Record<string, string | boolean> {
  return {
    'path-prefix': prefixOf(source.name, inputs),
    ...(inputs['allow-secrets'] ? { 'allow-secrets': true } : {}),
    ...(source.dirty.length === 0 ? {} : { 'allow-dirty': source.dirty.join('\n') }),
  };
}

function toResult(
  action: Action,
  done: readonly Outcome[],
  failed: readonly ComponentResult[],
  rendered: RenderedTree | undefined,
): Result {
  const ok = done.map(
    ({ packaged, source }): ComponentResult => ({
      name: packaged.component,
      status: 'ok',
      digest: packaged.manifest.descriptor.digest,
      contentDigest: packaged.contentDigest,
      pathPrefix: packaged.pathPrefix,
      environments: [...source.environments],
      files: source.files.map((file) => ({ path: file.path, sha256: sha256(file.content) })),
      ...(source.path === undefined ? {} : { path: source.path }),
      ...(source.engine === undefined ? {} : { engine: source.engine }),
    }),
  );
  const dirty = [...new Set(done.flatMap(({ source }) => source.dirty))].sort();
  return {
    schema: 1,
    step: 'package',
    build: action.build,
    components: [...ok, ...failed].sort((a, b) => (a.name < b.name ? -1 : 1)),
    findings: done.flatMap(({ packaged, findings }) => findings.map((finding) => `${packaged.component}: ${finding}`)),
    ...(rendered?.result.tools === undefined ? {} : { tools: rendered.result.tools }),
    ...(dirty.length === 0 ? {} : { dirty }),
  };
}
