import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import * as v from 'valibot';
import { ROOT } from './repository.ts';

/*
 * Which package may know which (docs/architecture.md). Biome refuses imports that a package.json does not declare, and relative paths into
 * another package; this check refuses what a package.json may not declare, and what a domain package may not touch.
 */

/** Complete: what is not here is refused. `testkit` is for tests and nobody's dependency. */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ci: ['core'],
  oci: ['core'],
  render: ['core'],
  signing: ['core'],
  evidence: ['core'],
  'registry-auth': ['oci', 'core'],
  artifact: ['oci', 'core'],
  promotion: ['oci', 'signing', 'evidence', 'core'],
  pipeline: ['oci', 'artifact', 'signing', 'evidence', 'promotion', 'core'],
  testkit: ['core', 'oci'],
};
const TESTKIT = '@gitless/testkit';
/** These meet the runner; every other package gets a context instead of the process. */
const MEETS_THE_RUNNER = ['ci', 'testkit'];

const dependencies = v.exactOptional(v.record(v.string(), v.string()), {});
const ManifestSchema = v.object({
  name: v.string(),
  dependencies,
  devDependencies: dependencies,
  peerDependencies: dependencies,
  optionalDependencies: dependencies,
});

/** One folder of `packages/` or `actions/`. */
export interface Member {
  readonly group: 'packages' | 'actions';
  readonly folder: string;
  /** Parsed package.json. */
  readonly manifest: unknown;
  /** TypeScript files below `src`, path (relative to `src`) → text. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Everything that breaks an arrow, one line each, naming package and dependency; empty when all is well. */
export function findFaults(members: readonly Member[]): string[] {
  return members.flatMap((member) => [...manifestFaults(member), ...sourceFaults(member)]);
}

function manifestFaults({ group, folder, manifest }: Member): string[] {
  const { name, devDependencies, ...declared } = v.parse(ManifestSchema, manifest);
  const where = `${group}/${folder}/package.json`;
  const shipped = Object.keys({
    ...declared.dependencies,
    ...declared.peerDependencies,
    ...declared.optionalDependencies,
  });
  const allowed = allowedArrows(group, folder);
  if (allowed === undefined) {
    return [`${where}: ${name} has no place among the arrows; give it one in scripts/check-arrows.ts`];
  }
  const refused = (names: readonly string[], extra: readonly string[] = []) =>
    names.filter((one) => one.startsWith('@gitless/') && ![...allowed, ...extra].includes(one));
  return [
    ...refused(shipped).map((one) => `${where}: ${name} may not depend on ${one}`),
    ...refused(Object.keys(devDependencies), [TESTKIT]).map((one) => `${where}: ${name} may not test with ${one}`),
    ...(meetsActions(group, folder) ? [] : shipped.filter((one) => one.startsWith('@actions/'))).map(
      (one) => `${where}: ${name} may not depend on ${one}, which belongs to packages/ci and actions`,
    ),
  ];
}

function allowedArrows(group: Member['group'], folder: string): string[] | undefined {
  const names = group === 'actions' ? Object.keys(ARROWS).filter((name) => name !== 'testkit') : ARROWS[folder];
  return names?.map((name) => `@gitless/${name}`);
}

function meetsActions(group: Member['group'], folder: string): boolean {
  return group === 'actions' || folder === 'ci';
}

/** What ships: the files that the package's entries lead to. Helpers of its tests are none of them. */
function sourceFaults({ group, folder, sources }: Member): string[] {
  const entries = group === 'actions' ? ['index.ts', 'main.ts'] : ['index.ts'];
  return reachable(sources, entries).flatMap((file) => {
    const code = sources.get(file) ?? '';
    const where = `${group}/${folder}/src/${file}`;
    const touched =
      group === 'actions' || MEETS_THE_RUNNER.includes(folder)
        ? []
        : [...new Set(code.match(/\bprocess\.(?:env|exit)\b|\bconsole\.|\bnode:process\b/g) ?? [])];
    return [
      ...(code.includes(`'${TESTKIT}`) ? [`${where}: imports ${TESTKIT}, which is for tests only`] : []),
      ...touched.map((what) => `${where}: uses ${what.replace(/\.$/, '')}; a domain package gets a context instead`),
    ];
  });
}

function reachable(sources: ReadonlyMap<string, string>, entries: readonly string[]): string[] {
  const found = new Set(entries.filter((entry) => sources.has(entry)));
  for (const file of found) {
    for (const [, path = ''] of (sources.get(file) ?? '').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      const target = normalize(join(dirname(file), path));
      if (sources.has(target)) {
        found.add(target);
      }
    }
  }
  return [...found].sort();
}

/** All members of this repository's workspaces. */
export async function readMembers(root: string): Promise<Member[]> {
  const members: Member[] = [];
  for (const group of ['packages', 'actions'] as const) {
    for (const folder of (await readdir(join(root, group))).sort()) {
      const base = join(root, group, folder);
      const manifest: unknown = JSON.parse(await readFile(join(base, 'package.json'), 'utf8'));
      const paths = (await readdir(join(base, 'src'), { recursive: true })).filter((path) => path.endsWith('.ts'));
      const texts = await Promise.all(
        paths.map(async (path) => [path, await readFile(join(base, 'src', path), 'utf8')] as const),
      );
      members.push({ group, folder, manifest, sources: new Map(texts) });
    }
  }
  return members;
}

if (import.meta.main) {
  const members = await readMembers(ROOT);
  const faults = findFaults(members);
  for (const fault of faults) {
    console.error(fault);
  }
  console.log(`arrows: ${members.length} packages, ${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
