import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import * as v from 'valibot';
import { pathWith, toolFile } from './build-tools.ts';
import { runPeer } from './job.ts';
import type { ServerState } from './servers/process.ts';

export interface ActOptions {
  /** Checkout with a remote `origin`, which names the repository; nothing is contacted. */
  readonly directory: string;
  /** File name below `.github/workflows/`. */
  readonly workflow: string;
  readonly event: string;
  readonly payload: unknown;
  /** What act does not set itself. */
  readonly env: Readonly<Record<string, string>>;
  /** `owner/name@ref` → folder that stands in for it. */
  readonly repositories: Readonly<Record<string, string>>;
}

/** A workflow's run as act logged it. */
export interface WorkflowRun {
  /** 0 when every job succeeded. */
  readonly exitCode: number;
  /** Job id → how it ended; a job that was skipped is absent. */
  readonly jobs: Readonly<Record<string, string>>;
  /** Outputs of the step of a job that runs `uses`, given without its reference. Empty when it did not run. */
  outputs(job: string, uses: string): Readonly<Record<string, string>>;
  /** Job summary of a job. */
  summary(job: string): string;
  /** Error annotations. */
  readonly errors: readonly string[];
  readonly log: string;
}

const KEEP_STDOUT = join(import.meta.dirname, 'stand-ins', 'keep-stdout.mjs');

/** The members of act's JSON log that are read here. */
const EntrySchema = v.object({
  msg: v.string(),
  jobID: v.optional(v.string(), ''),
  jobResult: v.optional(v.string()),
  step: v.optional(v.string(), ''),
  command: v.optional(v.string()),
  name: v.optional(v.string(), ''),
  arg: v.optional(v.string(), ''),
  content: v.optional(v.string(), ''),
});

/** Runs one workflow of a checkout with act, on this machine and without containers. A red run is a result. */
export async function runAct(state: ServerState, options: ActOptions): Promise<WorkflowRun> {
  const payload = join(state.folder, 'event.json');
  await writeFile(payload, JSON.stringify(options.payload));
  const stdoutCopy = join(state.folder, 'steps.log');
  await writeFile(stdoutCopy, '');
  const args = [
    options.event,
    `--workflows=.github/workflows/${options.workflow}`,
    `--eventpath=${payload}`,
    '--platform=ubuntu-24.04=-self-hosted',
    '--json',
    // It would listen on an address that others reach.
    '--no-cache-server',
    `--action-cache-path=${join(state.folder, 'act')}`,
    '--actor=octocat',
    '--secret=GITHUB_TOKEN=job-token-of-the-run',
    ...flags('--env', { ...options.env, NODE_OPTIONS: `--import=${KEEP_STDOUT}`, STDOUT_COPY: stdoutCopy }),
    ...flags('--local-repository', options.repositories),
  ];
  // Actions run on the Node that is first on PATH.
  const PATH = [dirname(process.execPath), await pathWith('helm', 'kustomize')].join(delimiter);
  const { exitCode, stdout, stderr } = await runPeer(state, await toolFile('act'), args, {
    cwd: options.directory,
    env: { PATH },
  });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  const entries = lines.map((line) => v.parse(EntrySchema, JSON.parse(line)));
  return {
    exitCode,
    jobs: Object.fromEntries(
      entries.flatMap(({ jobID, jobResult }) => (jobResult === undefined ? [] : [[jobID, jobResult]])),
    ),
    outputs: (job, uses) =>
      Object.fromEntries(
        entries
          .filter(
            ({ command, jobID, step }) => command === 'set-output' && jobID === job && step.startsWith(`${uses}@`),
          )
          .map(({ name, arg }) => [name, arg]),
      ),
    summary: (job) =>
      entries
        .filter(({ jobID }) => jobID === job)
        .map(({ content }) => content)
        .join('\n'),
    errors: errorsIn(await readFile(stdoutCopy, 'utf8')),
    log: `${entries.map(({ msg }) => msg).join('\n')}\n${stderr}`,
  };
}

/** Workflow commands `::error::`, with their escapes undone (actions/toolkit, `escapeData`). */
function errorsIn(stdout: string): string[] {
  return [...stdout.matchAll(/^::error(?: .*)?::(.*)$/gm)].map(([, data = '']) =>
    data.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%'),
  );
}

function flags(flag: string, values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `${flag}=${name}=${value}`);
}

/** Fails with the run's own log, so that a red test tells why. */
export function requireGreen(run: WorkflowRun): WorkflowRun {
  if (run.exitCode !== 0) {
    throw new Error(`exit code ${run.exitCode}\n${run.log}\n${run.errors.join('\n')}`);
  }
  return run;
}
