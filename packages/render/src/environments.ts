import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { requireName, UserError } from '@gitless/core';
import { type Engine, holdsKustomization } from './engine.ts';
import { directoriesOf, type NamedDirectory, PLACEHOLDER, substituteEnvironment } from './environment-pattern.ts';
import { isDirectory, isInside, pathEscapes, requireDirectory, requireInside, subdirectories } from './paths.ts';

export interface EnvironmentsSpec {
  /** Absolute; may hold `{environment}`. */
  readonly directory: string;
  /** Absolute; no environment may lie outside. */
  readonly workspace: string;
  readonly engine: Engine;
  /** Names asked for; none: what is found. */
  readonly environments: readonly string[];
}

export interface Environment {
  readonly name: string;
  /** Absolute; `undefined` when it was asked for by name and has no folder. */
  readonly directory: string | undefined;
}

/** The name of the only environment where none is named and none is found. */
const DEFAULT_ENVIRONMENT = 'default';

/**
 * Which environments a component has, and the folder of each (design: "gitless.yaml"): `{environment}` in the path,
 * else `<path>/<environment>`, else `<path>/overlays/<environment>`. None named: every such folder except `base`; none
 * at all: `default`, the path itself. A folder that kustomize builds, or that holds YAML itself, has no environments
 * right below it: those folders are its parts. A chart's environments differ by their values only.
 * Throws `ENVIRONMENT_MISSING` when none is found, `BAD_NAME`, `PATH_ESCAPES`, `PATH_MISSING`.
 */
export async function resolveEnvironments(spec: EnvironmentsSpec): Promise<Environment[]> {
  if (!isInside(spec.workspace, spec.directory)) {
    throw pathEscapes(spec.workspace, spec.directory);
  }
  if (!spec.directory.includes(PLACEHOLDER)) {
    await requireDirectory(spec.workspace, spec.directory);
  }
  const wanted = [...new Set(spec.environments)];
  const found = wanted.length > 0 ? await namedEnvironments(spec, wanted) : await discoveredEnvironments(spec);
  for (const { name, directory } of found) {
    requireName('environment', name);
    if (directory !== undefined) {
      await requireInside(spec.workspace, directory, () => environmentMissing(spec, name));
    }
  }
  return found;
}

async function namedEnvironments(spec: EnvironmentsSpec, names: readonly string[]): Promise<Environment[]> {
  const found: Environment[] = [];
  for (const name of names) {
    requireName('environment', name);
    found.push({ name, directory: await folderOf(spec, name) });
  }
  return found;
}

async function folderOf(spec: EnvironmentsSpec, name: string): Promise<string | undefined> {
  const { directory, engine } = spec;
  if (engine === 'helm' && !directory.includes(PLACEHOLDER)) {
    return (await isDirectory(directory)) ? directory : undefined;
  }
  const candidates = directory.includes(PLACEHOLDER)
    ? [substituteEnvironment(directory, name)]
    : [join(directory, name), join(directory, 'overlays', name)];
  for (const candidate of candidates) {
    if (await isEnvironment(engine, candidate)) {
      return candidate;
    }
  }
  return undefined;
}

async function discoveredEnvironments(spec: EnvironmentsSpec): Promise<NamedDirectory[]> {
  const { directory, engine } = spec;
  if (directory.includes(PLACEHOLDER)) {
    const found = await environmentsAmong(engine, await directoriesOf(directory));
    if (found.length === 0) {
      throw environmentMissing(spec, '(any)');
    }
    return found;
  }
  if (engine === 'helm') {
    return [{ name: DEFAULT_ENVIRONMENT, directory }];
  }
  const isWhole = engine === 'kustomize' ? await holdsKustomization(directory) : await holdsYaml(directory);
  const parents = isWhole ? [] : [directory];
  if (engine === 'kustomize' || !isWhole) {
    parents.push(join(directory, 'overlays'));
  }
  const found = new Map<string, NamedDirectory>();
  for (const parent of parents) {
    const folders = (await subdirectories(parent)).map((name) => ({ name, directory: join(parent, name) }));
    const nested =
      engine === 'plain' ? folders.filter((folder) => folder.directory !== join(directory, 'overlays')) : folders;
    for (const environment of await environmentsAmong(engine, nested)) {
      if (!found.has(environment.name)) {
        found.set(environment.name, environment);
      }
    }
  }
  return found.size > 0 ? [...found.values()] : [{ name: DEFAULT_ENVIRONMENT, directory }];
}

async function environmentsAmong(engine: Engine, folders: readonly NamedDirectory[]): Promise<NamedDirectory[]> {
  const kept: NamedDirectory[] = [];
  for (const folder of folders) {
    if (folder.name !== 'base' && (await isEnvironment(engine, folder.directory))) {
      kept.push(folder);
    }
  }
  return kept;
}

function isEnvironment(engine: Engine, directory: string): Promise<boolean> {
  return engine === 'kustomize' ? holdsKustomization(directory) : isDirectory(directory);
}

async function holdsYaml(directory: string): Promise<boolean> {
  if (!(await isDirectory(directory))) {
    return false;
  }
  return (await readdir(directory)).some((name) => /^[^.].*\.ya?ml$/.test(name));
}

/** What to tell of an environment without a folder. */
export function environmentMissing(spec: Omit<EnvironmentsSpec, 'environments'>, name: string): UserError {
  const directory = relative(spec.workspace, spec.directory) || '.';
  const looked = directory.includes(PLACEHOLDER)
    ? directory
    : `${directory}/${PLACEHOLDER} and ${directory}/overlays/${PLACEHOLDER}`;
  return new UserError({
    code: 'ENVIRONMENT_MISSING',
    what: `no folder for environment ${name}`,
    why: `looked for ${spec.engine === 'helm' ? directory : looked}${spec.engine === 'kustomize' ? ' with a kustomization in it' : ''}`,
    fix: 'create the folder, or correct environments or path',
  });
}
