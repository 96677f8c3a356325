import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { applySourceIgnore, readTree, type TreeFile } from '@gitless/artifact';
import {
  type Action,
  commitDate,
  dirtyFiles,
  listFiles,
  requireClean,
  requireCommit,
  runMain,
  setDigestOutputs,
} from '@gitless/ci';
import { canonicalJson, errorMessage, mapBounded, sha256, UserError } from '@gitless/core';
import {
  asDigest,
  type Component,
  type ComponentResult,
  failureOf,
  filterByName,
  forgetResult,
  type PackagedComponent,
  packageComponent,
  type RenderedTree,
  type Result,
  readConfig,
  readRenderedTree,
  requireAllOk,
  resolveComponents,
  unpackRenderedTree,
  type WorkDir,
  workDir,
  writePackages,
  writeResult,
} from '@gitless/pipeline';
import { requireDirectory } from '@gitless/render';
import { runChecks } from './checks.ts';
import type { Inputs } from './inputs.ts';
import { ownComponents, requireOwn } from './own-components.ts';
import { summarize } from './summary.ts';

const MAX_PARALLEL = 4;

/** One component before it is packed, from whichever source. */
interface Source {
  readonly name: string;
  readonly files: readonly TreeFile[];
  readonly rendered: boolean;
  readonly environments: readonly string[];
  readonly path?: string;
  readonly engine?: string;
  readonly dirty: readonly string[];
}

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

/** The tar of another job, else what render left in this job; undefined when directories are to be packed as they are. */
async function renderedTree(action: Action, dir: WorkDir, inputs: Inputs): Promise<RenderedTree | undefined> {
  if (inputs.rendered === undefined && inputs['rendered-digest'] !== undefined) {
    throw new UserError({
      code: 'BAD_INPUTS',
      what: 'rendered-digest is given without rendered',
      why: 'there is no file to compare it with, and what render left in this job would be packed unseen',
      fix: 'pass the path of the tar as rendered, or leave rendered-digest out',
    });
  }
  if (inputs.rendered !== undefined) {
    if (inputs['rendered-digest'] === undefined) {
      throw new UserError({
        code: 'BAD_INPUTS',
        what: 'rendered is given without rendered-digest',
        why: 'the tar comes through an artifact store; its digest through the job outputs proves that it is the one that was rendered',
        fix: 'pass the output tar-digest of the render job as rendered-digest',
      });
    }
    const tar = await readFile(resolve(action.workspace, inputs.rendered)).catch((error: unknown) => {
      throw new UserError({
        code: 'FILE_UNREADABLE',
        what: `${inputs.rendered} cannot be read`,
        why: errorMessage(error),
        fix: 'check the path, relative to the checkout, and that a step before this one fetched the tar',
      });
    });
    return unpackRenderedTree(tar, inputs['rendered-digest'], action.build);
  }
  return inputs.path !== undefined || inputs.unrendered ? undefined : readRenderedTree(dir, action.build);
}

function treeSource({ result, files }: RenderedTree, name: string, own: readonly Component[] | undefined): Source {
  const component = result.components.find((candidate) => candidate.name === name);
  const path = own?.find((one) => one.name === name)?.path ?? component?.path;
  return {
    name,
    files: files.get(name) ?? [],
    rendered: true,
    environments: component?.environments ?? [],
    dirty: result.dirty ?? [],
    ...(path === undefined ? {} : { path }),
    ...(component?.engine === undefined ? {} : { engine: component.engine }),
  };
}

/** A directory as it is: what git tracks or would add, less what `.sourceignore` and Flux's defaults leave out. */
async function directorySource(
  action: Action,
  component: { readonly name: string; readonly path?: string },
  inputs: Inputs,
): Promise<Source> {
  const { context, workspace } = action;
  const path = component.path ?? '.';
  const directory = await requireDirectory(workspace, path);
  await requireCommit(context, action.build, directory);
  const dirty = requireClean(await dirtyFiles(context, workspace, directory, 'below'), inputs['allow-dirty']);
  const tracked = new Set(await listFiles(context, directory));
  const files = await readTree(directory, (file) => tracked.has(file));
  return {
    name: component.name,
    files: applySourceIgnore(files).files,
    rendered: false,
    environments: [],
    path,
    dirty,
  };
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
