import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createWorkspace } from '@gitless/testkit';
import { buildTool } from '../peers/build-tools.ts';
import { FAMILIES } from './command-line.ts';
import { componentFiles, componentNames } from './components.ts';
import { goalList, type Measurement, ratioTable, stepTable } from './report.ts';
import { runSide, type Sample, type Side } from './side.ts';
import { newTask } from './task.ts';
import { type Network, openNetwork, PROFILES, type Profile, startServers } from './world.ts';

/*
 * `npm run bench [-- --cases 1,50 --profile loopback,wan | --all] [--output FILE]`: the shipped actions beside the command
 * line programs that people use today, in one run, on the same servers and the same input.
 */

const USAGE = 'npm run bench -- [--cases 1,50,200] [--profile loopback,wan] [--all] [--output FILE]';
/** Ours alone from here on: what counts there is memory. */
const ALONE_FROM = 200;
/** A single component is quick, and its figures vary most. */
const ROUNDS_OF_ONE = 3;

interface Case {
  readonly profile: Profile;
  readonly components: number;
}

async function bench(): Promise<void> {
  const { cases, output } = readArguments();
  for (const family of new Set([...Object.values(FAMILIES), 'registry'])) {
    await buildTool(family);
  }
  const servers = await startServers();
  const measurements: Measurement[] = [];
  let succeeded = false;
  try {
    for (const one of cases) {
      const network = await openNetwork(servers, one.profile);
      try {
        measurements.push(...(await runCase(network, one)));
      } finally {
        await network.close();
      }
    }
    succeeded = true;
  } finally {
    await servers.close(succeeded);
  }
  console.log(`\nratios, theirs / ours: above 1 is better for us\n\n${ratioTable(measurements)}`);
  console.log(`\n${stepTable(measurements)}\n\n${goalList(measurements)}`);
  const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model };
  await writeFile(output, `${JSON.stringify({ schema: 1, machine, measurements }, null, 2)}\n`);
  console.log(`\n${output}`);
}

async function runCase(network: Network, { profile, components }: Case): Promise<Measurement[]> {
  const names = componentNames(components);
  const workspace = await createWorkspace(componentFiles(components));
  const samples = new Map<Side, { ship: Sample; promote: Sample }[]>();
  try {
    for (let round = 1; round <= (components === 1 ? ROUNDS_OF_ONE : 1); round += 1) {
      for (const side of sidesOf(components)) {
        const sample = await runSide(side, await newTask(network, workspace, names));
        samples.set(side, [...(samples.get(side) ?? []), sample]);
        const [ship, promote] = [sample.ship, sample.promote].map(({ cost }) => `${(cost.wallMs / 1000).toFixed(1)} s`);
        console.log(`bench: ${profile}, ${components} component(s), ${side}: ship ${ship}, promote ${promote}`);
      }
    }
  } finally {
    await workspace.cleanup();
  }
  return (['ship', 'promote'] as const).flatMap((work) =>
    [...samples].map(
      ([side, rounds]): Measurement => ({
        work,
        components,
        profile,
        side,
        rounds: rounds.map((round) => round[work]),
      }),
    ),
  );
}

function sidesOf(components: number): Side[] {
  if (components >= ALONE_FROM) {
    return ['actions'];
  }
  return ['actions', ...(components > 1 ? (['tools eight at a time'] as const) : []), 'tools one by one'];
}

/** Ends the process with 2 when they are wrong. */
function readArguments(): { cases: Case[]; output: string } {
  try {
    const { values } = parseArgs({
      options: {
        cases: { type: 'string', default: '1,50' },
        profile: { type: 'string', default: 'loopback' },
        all: { type: 'boolean', default: false },
        output: { type: 'string', default: 'bench.json' },
      },
    });
    const counts = (values.all ? '1,50,200' : values.cases).split(',').map(Number);
    const profiles = (values.all ? Object.keys(PROFILES).join() : values.profile).split(',').map(asProfile);
    if (counts.some((count) => !Number.isInteger(count) || count < 1)) {
      throw new Error(`--cases ${values.cases}: wants numbers of components between commas`);
    }
    const cases = profiles
      .flatMap((profile) => counts.map((components) => ({ profile, components })))
      // For memory only, which a delay does not change.
      .filter(({ profile, components }) => !values.all || components < ALONE_FROM || profile === 'loopback');
    return { cases, output: resolve(values.output) };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(2);
  }
}

function asProfile(name: string): Profile {
  const profile = (Object.keys(PROFILES) as Profile[]).find((known) => known === name);
  if (profile === undefined) {
    throw new Error(`--profile ${name}: wants ${Object.keys(PROFILES).join(' or ')}`);
  }
  return profile;
}

await bench();
