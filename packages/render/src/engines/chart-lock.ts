import { type Digest, parseWith, sha256, UserError } from '@gitless/core';
import * as v from 'valibot';
import { parseYaml } from '../yaml.ts';

/** Helm reads a number where it wants text (`version: 1.2`) as its text (sigs.k8s.io/yaml, `convertToJSONableObject`). */
const text = v.union([v.string(), v.pipe(v.number(), v.transform(String))]);

/** helm `pkg/chart/v2/dependency.go`, in the order of its fields, which the lock's digest depends on. */
const DependencySchema = v.object({
  name: text,
  version: v.exactOptional(text),
  repository: v.exactOptional(v.nullish(text, ''), ''),
  condition: v.exactOptional(text),
  tags: v.exactOptional(v.array(text)),
  enabled: v.exactOptional(v.boolean()),
  'import-values': v.exactOptional(v.array(v.unknown())),
  alias: v.exactOptional(text),
});
const dependencies = v.exactOptional(v.nullish(v.array(DependencySchema), []), []);

const ChartSchema = v.object({ name: text, version: v.exactOptional(text), dependencies });
const LockSchema = v.object({ digest: v.string(), dependencies });

export type ChartDependency = v.InferOutput<typeof DependencySchema>;

/** The dependencies that `Chart.yaml` declares. Throws `YAML_INVALID`, `CHART_INVALID`. */
export function readChartDependencies(file: string, yaml: string): ChartDependency[] {
  return (
    parseWith(ChartSchema, parseYaml(file, yaml), {
      code: 'CHART_INVALID',
      where: file,
      fix: 'mend it: helm lint names the same faults',
    }).dependencies ?? []
  );
}

/**
 * Refuses what `helm dependency build` would resolve anew: it updates silently when `Chart.lock` is absent (helm
 * `pkg/downloader/manager.go`, `Build`). Throws `CHART_LOCK_MISSING`, `CHART_LOCK_STALE`, `CHART_REPOSITORY_ALIAS`.
 */
export function requireFrozenLock(
  chart: string,
  declared: readonly ChartDependency[],
  lock: string | undefined,
): ChartDependency[] {
  const aliased = declared.filter(({ repository }) => /^(?:@|alias:)/.test(repository ?? ''));
  if (aliased.length > 0) {
    throw new UserError({
      code: 'CHART_REPOSITORY_ALIAS',
      what: `${chart}/Chart.yaml names repositories by alias`,
      details: aliased.map(({ name, repository }) => `${name}: ${repository}`),
      why: 'an alias means what one machine was told, so the build would differ elsewhere',
      fix: 'write the address of the repository',
    });
  }
  if (lock === undefined) {
    throw new UserError({
      code: 'CHART_LOCK_MISSING',
      what: `${chart} has dependencies and no Chart.lock`,
      why: 'without it every build takes whatever versions are newest then',
      fix: 'run helm dependency update and commit Chart.lock',
    });
  }
  const file = `${chart}/Chart.lock`;
  const locked = parseWith(LockSchema, parseYaml(file, lock), {
    code: 'CHART_INVALID',
    where: file,
    fix: 'run helm dependency update and commit Chart.lock',
  });
  const resolved = locked.dependencies ?? [];
  if (locked.digest !== lockDigest(declared, resolved)) {
    throw new UserError({
      code: 'CHART_LOCK_STALE',
      what: `${file} does not belong to the dependencies in Chart.yaml`,
      why: 'one of them was changed after the lock was written',
      fix: 'run helm dependency update and commit Chart.lock',
    });
  }
  return resolved;
}

/** The lock's digest as Helm computes it (helm `internal/resolver/resolver.go`, `HashReq`): of both lists as Go writes JSON. */
export function lockDigest(declared: readonly ChartDependency[], locked: readonly ChartDependency[]): Digest {
  return sha256(goJson([declared.map(goDependency), locked.map(goDependency)]));
}

/** Empty members are left out as Go's `omitempty` does; `repository` always stands. */
function goDependency(dependency: ChartDependency): Record<string, unknown> {
  const { name, version, repository, condition, tags, enabled, alias } = dependency;
  const importValues = dependency['import-values'];
  return {
    name,
    version: version === '' ? undefined : version,
    repository: repository ?? '',
    condition: condition === '' ? undefined : condition,
    tags: tags?.length === 0 ? undefined : tags,
    enabled: enabled === true ? true : undefined,
    'import-values': importValues?.length === 0 ? undefined : importValues?.map(sorted),
    alias: alias === '' ? undefined : alias,
  };
}

/** encoding/json escapes these for HTML; version ranges such as `>=1.0.0` hold them. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Go writes the keys of a map in order. */
function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}
