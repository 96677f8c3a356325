import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { requireName, UserError } from '@gitless/core';
import type { ComponentEntry, Config } from './config-schema.ts';
import { nearest } from './nearest.ts';

/** One component and what `gitless.yaml` or the step's inputs say about it. */
export type Component = { readonly name: string; readonly path: string } & Omit<
  ComponentEntry,
  'name' | 'path' | 'pattern' | 'ignore'
>;

/** The step's inputs that can describe a single component. */
export interface ComponentInputs {
  readonly name: string | undefined;
  readonly path: string | undefined;
  /** Filter by name; empty for all. */
  readonly components: readonly string[];
}

/**
 * The components of this step, sorted by name: those of `gitless.yaml`, or the one that the inputs describe.
 * Throws `COMPONENT_MISSING`, `COMPONENT_TWICE`, `COMPONENT_UNKNOWN` or `BAD_NAME`.
 */
export function resolveComponents(workspace: string, config: Config | undefined, inputs: ComponentInputs): Component[] {
  const listed = (config?.components ?? []).flatMap((entry) => expand(workspace, entry));
  if (listed.length > 0 && (inputs.name !== undefined || inputs.path !== undefined)) {
    throw new UserError({
      code: 'COMPONENT_TWICE',
      what: 'the inputs name or path describe a component, and gitless.yaml lists components too',
      fix: 'leave name and path out and filter with `components`, or give `config` another file',
    });
  }
  const components = listed.length > 0 ? listed : [single(inputs)];
  const byName = new Map<string, Component>();
  for (const component of components) {
    const other = byName.get(component.name);
    if (other !== undefined) {
      throw new UserError({
        code: 'COMPONENT_TWICE',
        what: `two components are called ${component.name}`,
        details: [other.path, component.path],
        fix: 'name one of them otherwise in gitless.yaml, or ignore it in the pattern',
      });
    }
    byName.set(requireName('component', component.name), component);
  }
  return filterByName([...byName.values()], inputs.components);
}

/** Those of `components` that `names` lists, all when it lists none. Throws `COMPONENT_UNKNOWN`. */
export function filterByName<T extends { readonly name: string }>(
  components: readonly T[],
  names: readonly string[],
): T[] {
  const known = components.map((component) => component.name).sort();
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UserError({
      code: 'COMPONENT_UNKNOWN',
      what: `no such component: ${unknown.join(', ')}`,
      details: unknown.flatMap((name) => {
        const suggestion = nearest(name, known);
        return suggestion === undefined ? [] : [`did you mean ${suggestion} instead of ${name}?`];
      }),
      fix: `the components are: ${known.join(', ')}`,
    });
  }
  return components
    .filter((component) => names.length === 0 || names.includes(component.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function single(inputs: ComponentInputs): Component {
  if (inputs.name === undefined || inputs.path === undefined) {
    throw new UserError({
      code: 'COMPONENT_MISSING',
      what: 'no component to work on',
      why: 'there is no gitless.yaml with components, and the inputs name and path are not both given',
      fix: 'give name and path, or list components in gitless.yaml',
    });
  }
  return { name: inputs.name, path: inputs.path };
}

function expand(workspace: string, entry: ComponentEntry): Component[] {
  if (!('pattern' in entry)) {
    return [entry];
  }
  const { pattern, ignore, ...rest } = entry;
  const folders = globSync(pattern, { cwd: workspace, exclude: [...(ignore ?? [])], withFileTypes: true })
    .filter((found) => found.isDirectory())
    .map((found) => ({ name: found.name, path: relative(workspace, join(found.parentPath, found.name)) }));
  if (folders.length === 0) {
    throw new UserError({
      code: 'COMPONENT_MISSING',
      what: `the pattern ${JSON.stringify(pattern)} in gitless.yaml matches no folder`,
      fix: 'correct the pattern, or check the repository out completely',
    });
  }
  return folders.map((folder) => ({ ...rest, ...folder }));
}
