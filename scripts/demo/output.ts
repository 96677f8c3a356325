import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestRegistry } from '@gitless/testkit';
import { expect } from './expect.ts';
import { reportPage } from './report.ts';
import type { Fact } from './screen.ts';
import type { StepRecord } from './world.ts';

/** What a run leaves behind, and all that a run deletes of a former one. */
const ENTRIES = ['bundles', 'registry', 'report.html', 'results', 'summaries', 'trusted_root.json'];

/** Makes the folder ready, empty. Throws when it holds anything that no demo wrote. */
export async function clearOutput(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const foreign = (await readdir(directory)).filter((entry) => !ENTRIES.includes(entry));
  expect(
    foreign.length === 0,
    `${directory} holds ${foreign.slice(0, 3).join(', ')}, which no demo wrote; name another folder, or an empty one.`,
  );
  await Promise.all(ENTRIES.map((entry) => rm(join(directory, entry), { recursive: true, force: true })));
}

export interface Leavings {
  readonly registry: TestRegistry;
  readonly steps: readonly StepRecord[];
  readonly trace: readonly Fact[];
  readonly trustedRoot: string;
  /** Sigstore bundles of the promoted artifact by file name. */
  readonly bundles: ReadonlyMap<string, Uint8Array>;
}

export async function writeOutput(directory: string, leavings: Leavings): Promise<void> {
  const { registry, steps, trace, trustedRoot, bundles } = leavings;
  const folder = async (name: string) => {
    await mkdir(join(directory, name), { recursive: true });
    return join(directory, name);
  };
  const [results, summaries, bundleFolder] = [
    await folder('results'),
    await folder('summaries'),
    await folder('bundles'),
  ];
  const sections = steps.map(({ name, summary }, index) => ({ name: `${index + 1}-${name}`, summary }));
  for (const [index, { name }] of sections.entries()) {
    await writeFile(join(results, `${name}.json`), steps[index]?.result ?? '');
    await writeFile(join(summaries, `${name}.md`), steps[index]?.summary ?? '');
  }
  for (const [name, bundle] of bundles) {
    await writeFile(join(bundleFolder, name), bundle);
  }
  await registry.dump(await folder('registry'));
  await writeFile(join(directory, 'trusted_root.json'), trustedRoot);
  await writeFile(join(directory, 'report.html'), reportPage(trace, sections));
}
