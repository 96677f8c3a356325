import { writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createWorkspace } from '@gitless/testkit';
import { buildTool } from '../peers/build-tools.ts';
import { FAMILIES } from './command-line.ts';
import { componentFiles, componentNames } from './components.ts';
import { type Measurement, report } from './report.ts';
import { runSide, type Side } from './side.ts';
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
  console.log(`\n${report(measurements)}`);
  const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model };
  await writeFile(output, `${JSON.stringify({ schema: 1, machine, measurements }, null, 2)}\n`);
  console.log(`\n${output}`);
}

async function runCase(network: Network, one: Case): Promise<Measurement[]> {
  const { profile, components } = one;
  const names = componentNames(components);
  const workspace = await createWorkspace(componentFiles(components));
  const measurements: Measurement[] = [];
  try {
    for (let round = 1; round <= (components === 1 ? ROUNDS_OF_ONE : 1); round += 1) {
      for (const side of sidesOf(one)) {
        // The loop over many is the slowest of all, and eight at a time is the better answer to it.
        const promote = components === 1 || side !== 'tools one by one';
        const samples = await runSide(side, await newTask(network, workspace, names), { promote });
        for (const [work, sample] of Object.entries(samples)) {
          measurements.push({ work, components, profile, side, sample });
          const seconds = (sample.cost.wallMs / 1000).toFixed(1);
          console.log(`bench: ${work} ${components}, ${profile}, ${side}: ${seconds} s`);
        }
      }
    }
  } finally {
    await workspace.cleanup();
  }
  return measurements;
}

function sidesOf({ profile, components }: Case): Side[] {
  const one = 'tools one by one';
  if (components === 1) {
    return ['actions', one];
  }
  if (components >= ALONE_FROM) {
    return ['actions'];
  }
  // A loop over many with delays would take a quarter of an hour, and nobody wants to know.
  return ['actions', 'tools eight at a time', ...(profile === 'loopback' ? ([one] as const) : [])];
}

/** Ends the process with 2 when they are wrong. */
function readArguments(): { cases: Case[]; output: string } {
  try {
    const { values } = parseArgs({
      options: {
        cases: { type: 'string', default: '1,50' },
        profile: { type: 'string', default: 'loopback' },
        all: { type: 'boolean', default: false },
        output: { type: 'string', default: join(tmpdir(), 'gitless-bench.json') },
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
