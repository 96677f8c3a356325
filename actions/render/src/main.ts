import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Action, dirtyFiles, requireClean, requireCommit, runMain } from '@gitless/ci';
import { mapBounded, sha256 } from '@gitless/core';
import {
  type Component,
  type ComponentResult,
  type Config,
  failureOf,
  forgetResult,
  packRenderedTree,
  type RenderedTree,
  type Result,
  readConfig,
  requireAllOk,
  resolveComponents,
  type ToolResult,
  workDir,
  writeFileAtomic,
  writeRenderedTree,
  writeResult,
} from '@gitless/pipeline';
import { type RenderedComponent, renderComponent } from '@gitless/render';
import type { Inputs } from './inputs.ts';
import { summarize } from './summary.ts';

const MAX_PARALLEL = 2;

export function main(inputs: Inputs): Promise<void> {
  return runMain('render', (action) => render(action, inputs));
}

async function render(action: Action, inputs: Inputs): Promise<void> {
  const { context, workspace } = action;
  const dir = workDir(inputs['work-dir'] ?? join(action.temp, 'gitless'));
  await forgetResult(dir, 'render');
  const config = await readConfig(workspace, inputs.config);
  const components = resolveComponents(workspace, config, inputs);
  await requireCommit(context, action.build, workspace);
  // A chart or an overlay may draw on any file of the checkout.
  const dirty = requireClean(await dirtyFiles(context, workspace, workspace, 'repository'), inputs['allow-dirty']);
  const rendered = await mapBounded(components, MAX_PARALLEL, context.signal, (component) =>
    renderOne(action, component, config, inputs),
  );

  const tree = collectTree(action, components, rendered, dirty);
  await writeRenderedTree(dir, tree.files);
  const { tar, digest } = packRenderedTree(tree);
  await writeFileAtomic(dir.renderTar, tar);
  action.setOutput('result', await writeResult(dir, tree.result));
  if (tree.files.size > 0) {
    action.setOutput('path', dir.rendered);
    action.setOutput('tar', dir.renderTar);
    action.setOutput('tar-digest', digest);
  }
  if (inputs.summary) {
    await action.writeSummary(summarize(tree.result, digest));
  }
  requireAllOk(tree.result.components);
}

async function renderOne(
  action: Action,
  component: Component,
  config: Config | undefined,
  inputs: Inputs,
): Promise<RenderedComponent> {
  const tempDirectory = await mkdtemp(join(action.temp, 'gitless-render-'));
  try {
    const first = <T>(input: readonly T[], own: readonly T[] | undefined): readonly T[] =>
      input.length > 0 ? input : (own ?? []);
    const namespace = inputs.namespace ?? component.namespace;
    const releaseName = inputs['release-name'] ?? component['release-name'];
    const kubeVersion = inputs['kube-version'] ?? component['kube-version'];
    return await renderComponent(action.context, {
      name: component.name,
      directory: resolve(action.workspace, component.path),
      workspace: action.workspace,
      engine: inputs.engine === 'auto' ? (component.engine ?? 'auto') : inputs.engine,
      environments: first(inputs.environments, component.environments ?? config?.environments),
      values: first(inputs.values, component.values),
      apiVersions: first(inputs['api-versions'], component['api-versions']),
      includeCrds: inputs['include-crds'] || (component['include-crds'] ?? false),
      tools: config?.tools ?? {},
      tempDirectory,
      ...(namespace === undefined ? {} : { namespace }),
      ...(releaseName === undefined ? {} : { releaseName }),
      ...(kubeVersion === undefined ? {} : { kubeVersion }),
    });
  } finally {
    await rm(tempDirectory, { recursive: true, force: true });
  }
}

function collectTree(
  action: Action,
  components: readonly Component[],
  rendered: Awaited<ReturnType<typeof mapBounded<Component, RenderedComponent>>>,
  dirty: string[],
): RenderedTree {
  const files = new Map<string, { path: string; content: Uint8Array; executable: boolean }[]>();
  const results: ComponentResult[] = [];
  const tools = new Map<string, ToolResult>();
  const findings: string[] = [];
  for (const [index, { name, path }] of components.entries()) {
    const outcome = rendered[index];
    if (!outcome?.ok) {
      results.push({ name, path, status: 'failed', error: failureOf(outcome?.error) });
      continue;
    }
    const { engine, environments } = outcome.value;
    const tree = environments.flatMap((environment) =>
      environment.files.map((file) => ({ path: file.path, content: Buffer.from(file.text), executable: false })),
    );
    files.set(name, tree);
    results.push({
      name,
      path,
      status: 'ok',
      engine,
      environments: environments.map((environment) => environment.name),
      files: tree.map((file) => ({ path: file.path, sha256: sha256(file.content) })),
    });
    findings.push(...outcome.value.findings.map((finding) => `${name}: ${finding}`));
    for (const tool of outcome.value.tools) {
      tools.set(tool.name, { name: tool.name, version: tool.version, digest: tool.digest, asserted: tool.asserted });
    }
  }
  const result: Result = {
    schema: 1,
    step: 'render',
    build: action.build,
    components: results,
    findings,
    tools: [...tools.values()],
    ...(dirty.length === 0 ? {} : { dirty }),
  };
  return { result, files };
}
