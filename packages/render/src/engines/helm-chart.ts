import { cp, lstat, readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { type Context, UserError } from '@gitless/core';
import { isFile, isInside, pathEscapes, requireInside } from '../paths.ts';
import { run, type Tool } from '../tools.ts';
import { type ChartDependency, readChartDependencies, requireFrozenLock } from './chart-lock.ts';
import { helmEnvironment } from './helm.ts';

export interface ChartRequest {
  readonly tool: Tool;
  /** Absolute, inside `workspace`. */
  readonly chart: string;
  readonly workspace: string;
  /** An empty folder outside the workspace, for a copy with its dependencies. */
  readonly scratch: string;
  /** Helm's homes. */
  readonly home: string;
}

/**
 * The folder to render: the chart itself, or, when it has dependencies, a copy in which they are built exactly as
 * `Chart.lock` says, unless the commit holds them in `charts/`; the checkout is not touched. Throws `CHART_INVALID`, `CHART_LOCK_MISSING`, `CHART_LOCK_STALE`,
 * `CHART_REPOSITORY_ALIAS`, `PATH_ESCAPES` (also for links that leave the chart), `TOOL_FAILED`.
 */
export async function prepareChart(context: Context, request: ChartRequest): Promise<string> {
  const name = relative(request.workspace, request.chart) || '.';
  const chart = await requireInside(request.workspace, request.chart, () => notAChart(name));
  const declared = await declaredDependencies(chart, name);
  await requireClosed(chart);
  if (declared.length === 0) {
    return chart;
  }
  const lockFile = join(chart, 'Chart.lock');
  const lock = (await isFile(lockFile)) ? await readFile(lockFile, 'utf8') : undefined;
  const locked = requireFrozenLock(name, declared, lock);
  if (await areVendored(chart, locked)) {
    return chart;
  }
  const copy = await copyWithLocalDependencies(request, chart, locked);
  const options = { env: helmEnvironment(request.home) };
  // Helm builds only from repositories that it was told of (helm `pkg/downloader/manager.go`, `hasAllRepos`).
  for (const [index, url] of chartRepositories(locked).entries()) {
    await run(context, request.tool.file, ['repo', 'add', `repository-${index}`, url], options);
  }
  await run(context, request.tool.file, ['dependency', 'build', copy, '--skip-refresh'], options);
  return copy;
}

async function declaredDependencies(chart: string, name: string): Promise<ChartDependency[]> {
  const file = join(chart, 'Chart.yaml');
  if (!(await isFile(file))) {
    throw notAChart(name);
  }
  if (await isFile(join(chart, 'requirements.yaml'))) {
    throw new UserError({
      code: 'CHART_INVALID',
      what: `${name} keeps its dependencies in requirements.yaml`,
      why: 'that is the form of Helm 2 (apiVersion v1)',
      fix: 'move them into Chart.yaml with apiVersion: v2, run helm dependency update and commit Chart.lock',
    });
  }
  return readChartDependencies(`${name}/Chart.yaml`, await readFile(file, 'utf8'));
}

/** Dependencies that the commit itself holds, each in the locked version, need no network: Helm reads `charts/` as it is. */
async function areVendored(chart: string, locked: readonly ChartDependency[]): Promise<boolean> {
  for (const { name, version } of locked) {
    if (!(await isFile(join(chart, 'charts', `${name}-${version}.tgz`)))) {
      return false;
    }
  }
  return true;
}

/** Copies keep their places to each other, so that `file://../library` still leads there. */
async function copyWithLocalDependencies(
  request: ChartRequest,
  chart: string,
  locked: readonly ChartDependency[],
): Promise<string> {
  const workspace = await realpath(request.workspace);
  const local = locked
    .map(({ repository }) => repository ?? '')
    .filter((repository) => repository.startsWith('file://'));
  const folders = new Set([chart]);
  for (const repository of local) {
    const path = repository.slice('file://'.length);
    if (isAbsolute(path)) {
      throw pathEscapes(workspace, path);
    }
    const folder = await requireInside(workspace, resolve(chart, path), () => notAChart(repository));
    await requireClosed(folder);
    folders.add(folder);
  }
  for (const folder of folders) {
    await cp(folder, join(request.scratch, relative(workspace, folder)), { recursive: true, verbatimSymlinks: true });
  }
  return join(request.scratch, relative(workspace, chart));
}

function chartRepositories(locked: readonly ChartDependency[]): string[] {
  const urls = locked.map(({ repository }) => repository ?? '');
  return [...new Set(urls.filter((url) => /^https?:\/\//i.test(url)))].sort();
}

/** Helm follows symbolic links (`.Files.Get` would read what they point to), so none may leave the chart. */
async function requireClosed(root: string): Promise<void> {
  for (const entry of await readdir(root, { recursive: true })) {
    const path = join(root, entry);
    if ((await lstat(path)).isSymbolicLink()) {
      const target = await realpath(path).catch(() => undefined);
      if (target === undefined || !isInside(root, target) || isAbsolute(await readlink(path))) {
        throw pathEscapes(root, path);
      }
    }
  }
}

function notAChart(name: string): UserError {
  return new UserError({
    code: 'CHART_INVALID',
    what: `${name} holds no Chart.yaml`,
    fix: 'point path at the folder of the chart, or choose another engine',
  });
}
