import { isDigest, requireName, UserError } from '@gitless/core';
import { parseRepository, type Repository } from '@gitless/oci';
import { type Config, filterByName, nearestName, type Policy, requireDigestUnlessPlan } from '@gitless/pipeline';
import type { Inputs } from './inputs.ts';

/** One component to promote: what, from where, to where. */
export interface Candidate {
  readonly component: string;
  /** A digest; a tag only with `dry-run`. */
  readonly from: string;
  readonly source: Repository;
  readonly target: Repository;
}

/**
 * Reads `from`: one digest for a single component, or `component=sha256:…` a line.
 * Throws `BAD_INPUTS`, `BAD_NAME`, `COMPONENT_UNKNOWN`, `BAD_DIGEST`, `TAG_NOT_DIGEST`, `REGISTRIES_DIFFER`.
 */
export function readCandidates(inputs: Inputs, config: Config | undefined, policy: Policy): Candidate[] {
  const named = inputs.from;
  const names = named.map(({ component }) =>
    requireName('component', component ?? soleComponent(inputs, config, named.length)),
  );
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw badInputs(`from names ${twice} twice`, 'give each component once');
  }
  requireKnown(names, config);
  const all = named.map(({ from }, index) => ({ name: names[index] ?? '', from }));
  const chosen = filterByName(all, inputs.components);
  // In the order of `from`: it may be meant.
  return all
    .filter((entry) => chosen.includes(entry))
    .map(({ name: component, from }) => {
      if (from.startsWith('sha256:') && !isDigest(from)) {
        throw new UserError({
          code: 'BAD_DIGEST',
          what: `from is ${JSON.stringify(from)} for ${component}, which is not a digest`,
          fix: 'give sha256: followed by 64 lower-case hex digits',
        });
      }
      requireDigestUnlessPlan(component, from, inputs['dry-run']);
      return { component, from, ...placesOf(component, named.length, inputs, policy) };
    });
}

function soleComponent(inputs: Inputs, config: Config | undefined, count: number): string {
  const listed = (config?.components ?? []).flatMap((entry) => ('name' in entry ? [entry.name] : []));
  const name =
    inputs.components[0] ?? inputs.repository?.split('/').at(-1) ?? (listed.length === 1 ? listed[0] : undefined);
  if (name === undefined || count > 1) {
    throw badInputs('from does not say which component each digest is', 'write component=sha256:…, one a line');
  }
  return name;
}

function requireKnown(names: readonly string[], config: Config | undefined): void {
  const entries = config?.components ?? [];
  if (entries.length === 0 || entries.some((entry) => 'pattern' in entry)) {
    return;
  }
  const known = entries.flatMap((entry) => ('name' in entry ? [entry.name] : []));
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const suggestion = nearestName(unknown, known);
    throw new UserError({
      code: 'COMPONENT_UNKNOWN',
      what: `no such component: ${unknown}`,
      ...(suggestion === undefined ? {} : { details: [`did you mean ${suggestion}?`] }),
      fix: `the components are: ${known.join(', ')}`,
    });
  }
}

function placesOf(
  component: string,
  count: number,
  inputs: Inputs,
  policy: Policy,
): { source: Repository; target: Repository } {
  requireOneOf(inputs, 'repository', 'registry', count);
  requireOneOf(inputs, 'to-repository', 'to-registry', count);
  const source = place(component, 'repository', inputs.repository, inputs.registry ?? policy.registry);
  if (source === undefined) {
    throw badInputs('no registry to promote from', 'give registry or repository, or registry in gitless.yaml');
  }
  const target =
    place(component, 'to-repository', inputs['to-repository'], inputs['to-registry'] ?? policy.production) ?? source;
  if (source.registry !== target.registry) {
    throw new UserError({
      code: 'REGISTRIES_DIFFER',
      what: `${component} would be promoted from ${source.registry} to ${target.registry}`,
      why: 'this version promotes within one registry host',
      fix: 'promote into a repository of the same registry, and mirror from there',
    });
  }
  return { source, target };
}

/** A complete repository is one component's place, and then no prefix is meant. */
function requireOneOf(
  inputs: Inputs,
  repository: 'repository' | 'to-repository',
  prefix: 'registry' | 'to-registry',
  count: number,
): void {
  if (inputs[repository] !== undefined && (count > 1 || inputs[prefix] !== undefined)) {
    throw badInputs(
      count > 1 ? `${repository} names one place for several components` : `${prefix} and ${repository} are both given`,
      `give ${prefix} as a prefix: each component gets <${prefix}>/<component>`,
    );
  }
}

/** The complete repository, else the component below the prefix; undefined when there is neither. */
function place(
  component: string,
  field: string,
  repository: string | undefined,
  prefix: string | undefined,
): Repository | undefined {
  const text = repository ?? (prefix === undefined ? undefined : `${prefix}/${component}`);
  return text === undefined ? undefined : parseRepository(field, text);
}

function badInputs(what: string, fix: string): UserError {
  return new UserError({ code: 'BAD_INPUTS', what, fix });
}
