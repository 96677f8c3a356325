import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { githubEnvironment } from '@gitless/testkit';
import { ACTIONS, ROOT } from './repository.ts';

/*
 * How long a user waits for the first word of an action: `node -e 0` beside each action that meets a wrong input, and each that loads
 * everything and then refuses. Medians of interleaved runs, as ratios; `--check` fails above the limit.
 */

const ROUNDS = 15;
/** Of an action that fails on its first input, against `node -e 0`. */
const LIMIT = 2;

/** An input that every action refuses before it loads its main, and what the first refusal of its main is without any input. */
const WRONG_INPUT = { INPUT_SUMMARY: 'perhaps' };
const FIRST_REFUSAL: Readonly<Record<(typeof ACTIONS)[number], string>> = {
  render: 'COMPONENT_MISSING',
  package: 'STEP_MISSING',
  sign: 'EVENT_REFUSED',
  push: 'EVENT_REFUSED',
  promote: 'EVENT_REFUSED',
};

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the output must hold; empty for a run that succeeds. */
  readonly says: string;
}

const temp = await mkdtemp(join(tmpdir(), 'startup-'));
try {
  const cases = await listCases(temp);
  const times = new Map(cases.map(({ name }): [string, number[]] => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const one of cases) {
      const ms = measure(one);
      // The first round warms the disk's cache.
      if (round > 0) {
        times.get(one.name)?.push(ms);
      }
    }
  }
  report(new Map([...times].map(([name, all]) => [name, median(all)])));
} finally {
  await rm(temp, { recursive: true });
}

async function listCases(directory: string): Promise<Case[]> {
  const eventPath = join(directory, 'event.json');
  await writeFile(eventPath, JSON.stringify({ repository: { default_branch: 'main' } }));
  const env = {
    ...githubEnvironment({ GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: eventPath }),
    GITHUB_WORKSPACE: directory,
    RUNNER_TEMP: directory,
    INPUT_FROM: `sha256:${'a'.repeat(64)}`,
    INPUT_VERSION: 'v1.0.0',
  };
  const script = (action: string) => join(ROOT, 'dist', action, 'index.cjs');
  return [
    { name: 'node -e 0', args: ['-e', '0'], env: {}, says: '' },
    ...ACTIONS.map((action) => ({
      name: `${action}, wrong input`,
      args: [script(action)],
      env: { ...env, ...WRONG_INPUT },
      says: '[BAD_INPUTS]',
    })),
    ...ACTIONS.map((action) => ({
      name: `${action}, first refusal`,
      args: [script(action)],
      env,
      says: `[${FIRST_REFUSAL[action]}]`,
    })),
  ];
}

/** Milliseconds of one run. Throws when it does not end as it must: then the time would be of something else. */
function measure({ name, args, env, says }: Case): number {
  const start = performance.now();
  const { status, stdout } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  const ms = performance.now() - start;
  if (status !== (says === '' ? 0 : 1) || !stdout.includes(says)) {
    throw new Error(`${name} ended with ${status}, wanted ${says || 'success'}:\n${stdout}`);
  }
  return ms;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function report(medians: ReadonlyMap<string, number>): void {
  const base = medians.get('node -e 0') ?? Number.NaN;
  console.log(`start-up, median of ${ROUNDS}, ${process.version}\n`);
  console.log('| run | ms | × node -e 0 |\n|---|---:|---:|');
  for (const [name, ms] of medians) {
    console.log(`| ${name} | ${ms.toFixed(0)} | ${(ms / base).toFixed(2)} |`);
  }
  const slow = [...medians].filter(([name, ms]) => name.endsWith('wrong input') && ms / base > LIMIT);
  if (process.argv.includes('--check') && slow.length > 0) {
    console.error(`\nabove ${LIMIT}×: ${slow.map(([name]) => name).join('; ')}`);
    process.exitCode = 1;
  }
}
