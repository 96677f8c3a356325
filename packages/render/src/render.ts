import { mkdir, mkdtemp } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { type Context, mapBounded, UserError } from '@gitless/core';
import { detectEngine, type Engine } from './engine.ts';
import { hookEvents, renderHelm } from './engines/helm.ts';
import { prepareChart } from './engines/helm-chart.ts';
import { renderKustomize } from './engines/kustomize.ts';
import { readPlain } from './engines/plain.ts';
import { type NamedDirectory, substituteEnvironment } from './environment-pattern.ts';
import { environmentMissing, resolveEnvironments } from './environments.ts';
import { type KubernetesObject, parseObjects } from './kubernetes-object.ts';
import { describe, objectsToFiles, type RenderedFile } from './objects-to-files.ts';
import { requireInside } from './paths.ts';
import { findTool, notAsserted, type Tool } from './tools.ts';

export interface RenderSpec {
  /** The component's name. */
  readonly name: string;
  /** Absolute; may hold `{environment}`. */
  readonly directory: string;
  /** Absolute: the checkout, which nothing may leave. */
  readonly workspace: string;
  readonly engine: Engine | 'auto';
  /** Empty: those that are found. */
  readonly environments: readonly string[];
  /** Values files relative to the chart; may hold `{environment}`. */
  readonly values: readonly string[];
  /** Unless set `default`. */
  readonly namespace?: string;
  /** Unless set the component's name. */
  readonly releaseName?: string;
  readonly kubeVersion?: string;
  readonly apiVersions: readonly string[];
  readonly includeCrds: boolean;
  /** Versions that are asserted. */
  readonly tools: { readonly helm?: string; readonly kustomize?: string };
  /** Absolute, outside the workspace, removed by the caller. */
  readonly tempDirectory: string;
}

export interface RenderedEnvironment {
  readonly name: string;
  /** `<environment>/<file>.yaml`, sorted. */
  readonly files: readonly RenderedFile[];
}

export interface RenderedComponent {
  readonly engine: Engine;
  readonly environments: readonly RenderedEnvironment[];
  readonly tools: readonly Tool[];
  /** What a reader should know and need not mend. */
  readonly findings: readonly string[];
}

interface Renderer {
  readonly tools: readonly Tool[];
  readonly findings: readonly string[];
  render(environment: NamedDirectory): Promise<KubernetesObject[]>;
}

/** A chart's templates can take a core each. */
const CONCURRENCY = 4;

/**
 * Renders all environments of a component to one file an object. All are tried, and one error names every one that
 * failed. Throws `RENDER_FAILED`, `ENGINE_AMBIGUOUS`, `ENVIRONMENT_MISSING`, `BAD_NAME`, `PATH_ESCAPES`, `TOOL_MISSING`,
 * `TOOL_VERSION`, `TOOL_FAILED`.
 */
export async function renderComponent(context: Context, spec: RenderSpec): Promise<RenderedComponent> {
  const engine = spec.engine === 'auto' ? await detectEngine(spec.directory) : spec.engine;
  const environments = await resolveEnvironments({ ...spec, engine });
  const renderer = await RENDERERS[engine](context, spec);
  const results = await mapBounded(environments, CONCURRENCY, context.signal, async ({ name, directory }) => {
    if (directory === undefined) {
      throw environmentMissing({ ...spec, engine }, name);
    }
    const objects = await renderer.render({ name, directory });
    return { name, files: filesOf(name, objects), hooks: hookFindings(name, objects) };
  });
  context.signal.throwIfAborted();
  const failures: string[] = [];
  const rendered: RenderedEnvironment[] = [];
  const findings = [...renderer.findings];
  for (const [index, result] of results.entries()) {
    if (result.ok) {
      rendered.push({ name: result.value.name, files: result.value.files });
      findings.push(...(engine === 'helm' ? result.value.hooks : []));
    } else {
      failures.push(`${environments[index]?.name}: ${oneLine(result.error)}`);
    }
  }
  if (failures.length > 0) {
    throw new UserError({
      code: 'RENDER_FAILED',
      what: `${failures.length} of ${environments.length} environments cannot be rendered`,
      details: failures,
      fix: 'mend each of them; all are tried in every run',
    });
  }
  return { engine, environments: rendered, tools: renderer.tools, findings };
}

const RENDERERS: Record<Engine, (context: Context, spec: RenderSpec) => Promise<Renderer>> = {
  helm: helmRenderer,
  kustomize: kustomizeRenderer,
  plain: async (_context, { workspace }) => ({
    tools: [],
    findings: [],
    render: async ({ directory }) =>
      (await readPlain({ directory, workspace })).flatMap(({ path, text }) => parseObjects(path, text)),
  }),
};

async function helmRenderer(context: Context, spec: RenderSpec): Promise<Renderer> {
  const tool = await findTool(context, 'helm', spec.tools.helm);
  await mkdir(spec.tempDirectory, { recursive: true });
  const home = await mkdtemp(join(spec.tempDirectory, 'helm-'));
  const charts = new Map<string, Promise<string>>();

  /** Once for all environments that share the chart. */
  function prepared(chart: string): Promise<string> {
    const known = charts.get(chart);
    if (known !== undefined) {
      return known;
    }
    const scratch = join(home, `chart-${charts.size}`);
    const preparing = prepareChart(context, { tool, chart, workspace: spec.workspace, scratch, home });
    charts.set(chart, preparing);
    return preparing;
  }

  async function render({ name, directory }: NamedDirectory): Promise<KubernetesObject[]> {
    const chart = await prepared(directory);
    const values = await Promise.all(
      spec.values.map((file) => valuesFile(spec, directory, substituteEnvironment(file, name))),
    );
    const text = await renderHelm(context, {
      tool,
      chart,
      releaseName: spec.releaseName ?? spec.name,
      namespace: spec.namespace ?? 'default',
      values,
      ...(spec.kubeVersion === undefined ? {} : { kubeVersion: spec.kubeVersion }),
      apiVersions: spec.apiVersions,
      includeCrds: spec.includeCrds,
      home,
    });
    return parseObjects(`output of helm template for ${name}`, text);
  }

  return { tools: [tool], findings: helmFindings(tool, spec), render };
}

function helmFindings(tool: Tool, spec: RenderSpec): string[] {
  return [
    ...toolFindings(tool),
    ...(spec.kubeVersion === undefined
      ? [
          `kube-version is not set: charts see the Kubernetes version built into helm ${tool.version}, so another helm can render other objects`,
        ]
      : []),
    ...(tool.version.startsWith('3.') ? ['Helm 3 gets no security fixes after 2027-02-10: move to Helm 4'] : []),
  ];
}

async function kustomizeRenderer(context: Context, spec: RenderSpec): Promise<Renderer> {
  const tool = await findTool(context, 'kustomize', spec.tools.kustomize);
  return {
    tools: [tool],
    findings: toolFindings(tool),
    render: async ({ name, directory }) => {
      const text = await renderKustomize(context, { tool, directory, workspace: spec.workspace });
      return parseObjects(`output of kustomize build for ${name}`, text);
    },
  };
}

function toolFindings(tool: Tool): string[] {
  return tool.asserted ? [] : [notAsserted(tool)];
}

function valuesFile(spec: RenderSpec, chart: string, path: string): Promise<string> {
  const file = resolve(chart, path);
  return requireInside(spec.workspace, file, () => {
    return new UserError({
      code: 'VALUES_MISSING',
      what: `values file ${relative(spec.workspace, file)} does not exist`,
      why: `values names ${path}, relative to the chart`,
      fix: 'create it, or correct values or environments (a chart that names none has the one called default)',
    });
  });
}

/** Nothing at all is an error: Flux would prune everything that the environment runs. */
function filesOf(environment: string, objects: readonly KubernetesObject[]): RenderedFile[] {
  if (objects.length === 0) {
    throw new UserError({
      code: 'RENDER_EMPTY',
      what: 'no object is rendered',
      why: 'applied with pruning, an empty environment deletes all that it runs',
      fix: 'leave the environment out of environments if that is what is meant',
    });
  }
  return objectsToFiles(objects).map(({ path, text }) => ({ path: `${environment}/${path}`, text }));
}

function hookFindings(environment: string, objects: readonly KubernetesObject[]): string[] {
  return objects.flatMap((object) => {
    const events = hookEvents(object);
    return events === undefined
      ? []
      : [
          `${environment}: ${describe(object)} is a Helm hook (${events}); Flux applies it as an ordinary object, each time`,
        ];
  });
}

/** A failed environment as one line of a list. Anything but a user's error is a defect and passes through. */
function oneLine(error: unknown): string {
  if (!(error instanceof UserError)) {
    throw error;
  }
  const { what, code, why, fix, details = [] } = error.problem;
  return [`${what} [${code}]`, ...details, why, fix]
    .filter((part) => part !== undefined)
    .join('; ')
    .replace(/\s*\n\s*/g, ' ');
}
