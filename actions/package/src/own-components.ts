import { UserError } from '@gitless/core';
import { type Component, type ComponentResult, type Config, resolveComponents } from '@gitless/pipeline';

/** Those of this checkout's `gitless.yaml`; undefined where it lists none, as when inputs of render described one. */
export function ownComponents(workspace: string, config: Config | undefined): Component[] | undefined {
  return (config?.components ?? []).length === 0
    ? undefined
    : resolveComponents(workspace, config, { name: undefined, path: undefined, components: [] });
}

/** Which components there are, and so which repositories are written, is never the render job's to say. Throws `COMPONENT_UNKNOWN`. */
export function requireOwn(listed: readonly ComponentResult[], own: readonly Component[] | undefined): void {
  const foreign = own === undefined ? [] : listed.filter(({ name }) => !own.some((one) => one.name === name));
  if (foreign.length > 0) {
    throw new UserError({
      code: 'COMPONENT_UNKNOWN',
      what: `the rendered tree holds components that gitless.yaml does not list: ${foreign.map(({ name }) => name).join(', ')}`,
      why: 'each of them would be pushed to a repository of its own',
      fix: 'give this step the same config as render; if it has it, find out what the render job ran',
    });
  }
}
