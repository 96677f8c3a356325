import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inputEnvironment, readActionFile } from './action-file.ts';
import { type GithubEnvironment, githubEnvironment } from './environment.ts';
import { eventPayload, type JsonObject } from './event.ts';
import { parseFileCommands } from './file-commands.ts';
import { type Annotation, createJobLog, type JobLog } from './job-log.ts';

const REPOSITORY_ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

export interface RunOptions {
  /** Folder below `actions/`. */
  readonly action: string;
  /** By the names of action.yml; the rest takes its default. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Checked-out tree, where the action starts, and its commit: GITHUB_SHA. */
  readonly workspace: { readonly dir: string; readonly sha?: string };
  /** RUNNER_TEMP, made when missing. Steps of one job share it. */
  readonly temp: string;
  /** Changes to the environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Merged into the event payload. */
  readonly event?: JsonObject;
  /** Present when the job has `id-token: write`. */
  readonly oidc?: { readonly url: string; readonly token: string };
  /** The job's token, `github.token`. */
  readonly token?: string;
  readonly umask?: number;
  /** Kills the action at once (SIGKILL) when aborted. */
  readonly signal?: AbortSignal;
  /** Repository that holds `actions/`; this one when absent. */
  readonly root?: string;
}

export interface ActionRun {
  /** Of the process; 128 and the signal's number when it was killed. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  /** Variables set for later steps. */
  readonly env: Readonly<Record<string, string>>;
  /** The job summary as written, nothing masked. */
  readonly summary: string;
  /** Values that the action asked to mask, in order. */
  readonly masks: readonly string[];
  readonly annotations: readonly Annotation[];
  /** stdout and stderr as a reader of the job's log sees them: commands obeyed, secrets masked. */
  readonly log: string;
}

/**
 * Runs an action's shipped bundle as the GitHub runner would (actions/runner, NodeScriptActionHandler.cs), with an
 * environment made from scratch: nothing of the machine's own gets in but PATH.
 * Throws `ACTION_FILE_INVALID`, and an Error on an unknown input or on files that the runner could not read.
 */
export async function runAction(options: RunOptions): Promise<ActionRun> {
  const { temp, workspace, oidc, token = 'testkit-job-token' } = options;
  const action = await readActionFile(join(options.root ?? REPOSITORY_ROOT, 'actions', options.action, 'action.yml'));
  const files = await createFileCommands(temp);
  const github = githubEnvironment({
    ...(workspace.sha === undefined ? {} : { GITHUB_SHA: workspace.sha }),
    ...pickGithub(options.env ?? {}),
    ...files,
    GITHUB_EVENT_PATH: join(temp, '_github_workflow', 'event.json'),
    GITHUB_WORKSPACE: workspace.dir,
    RUNNER_TEMP: temp,
  });
  await mkdir(join(temp, '_github_workflow'), { recursive: true });
  await writeFile(github.GITHUB_EVENT_PATH, JSON.stringify(eventPayload(github, options.event ?? {})));
  const home = join(temp, '_github_home');
  await mkdir(home, { recursive: true });
  const context = { 'github.token': token, 'github.workspace': workspace.dir, 'runner.temp': temp };
  const env: Record<string, string | undefined> = {
    PATH: process.env['PATH'],
    HOME: home,
    TZ: 'UTC',
    LANG: 'C.UTF-8',
    ...github,
    ...(oidc === undefined
      ? {}
      : { ACTIONS_ID_TOKEN_REQUEST_URL: oidc.url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: oidc.token }),
    ...inputEnvironment(action.defaults, options.inputs ?? {}, context),
    ...options.env,
  };
  const log = createJobLog([token, ...(oidc === undefined ? [] : [oidc.token])], env['RUNNER_DEBUG'] === '1');
  const ended = await runToEnd(start(action.main, workspace.dir, env, options.umask), log, options.signal);
  const read = async (path: string) => parseFileCommands(await readFile(path, 'utf8'));
  return {
    ...ended,
    outputs: Object.fromEntries([...log.outputs, ...(await read(files.GITHUB_OUTPUT))]),
    state: Object.fromEntries([...log.state, ...(await read(files.GITHUB_STATE))]),
    env: Object.fromEntries(await read(files.GITHUB_ENV)),
    summary: await readFile(files.GITHUB_STEP_SUMMARY, 'utf8'),
    masks: log.masks,
    annotations: log.annotations,
    log: log.lines.map((line) => `${line}\n`).join(''),
  };
}

/** Fresh, empty files for one step, named as the runner names them (FileCommandManager.cs `InitializeFiles`). */
async function createFileCommands(temp: string) {
  const dir = join(temp, '_runner_file_commands');
  await mkdir(dir, { recursive: true });
  const suffix = randomUUID();
  const files = {
    GITHUB_OUTPUT: join(dir, `set_output_${suffix}`),
    GITHUB_ENV: join(dir, `set_env_${suffix}`),
    GITHUB_STATE: join(dir, `save_state_${suffix}`),
    GITHUB_PATH: join(dir, `add_path_${suffix}`),
    GITHUB_STEP_SUMMARY: join(dir, `step_summary_${suffix}`),
  };
  await Promise.all(Object.values(files).map((file) => writeFile(file, '')));
  return files;
}

/** Overrides of the runner's own variables, so that what depends on them follows. */
function pickGithub(env: Readonly<Record<string, string | undefined>>): Partial<GithubEnvironment> {
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => /^(?:GITHUB|RUNNER)_/.test(name) && value !== undefined),
  );
}

/** A shell sets the umask: Node can set its own only in a main thread, and that of a child not at all. */
function start(main: string, cwd: string, env: NodeJS.ProcessEnv, umask: number | undefined): ChildProcess {
  const [file, args] =
    umask === undefined
      ? [process.execPath, [main]]
      : ['/bin/sh', ['-c', `umask ${umask.toString(8)}; exec "$0" "$1"`, process.execPath, main]];
  return spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function runToEnd(
  child: ChildProcess,
  log: JobLog,
  signal: AbortSignal | undefined,
): Promise<Pick<ActionRun, 'exitCode' | 'stdout' | 'stderr'>> {
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  const streams = [collect(child.stdout, log), collect(child.stderr, log)];
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, by) => resolve(code ?? 128 + (by === null ? 0 : constants.signals[by])));
      if (signal?.aborted === true) {
        kill();
      }
    });
    const [stdout = '', stderr = ''] = await Promise.all(streams);
    return { exitCode, stdout, stderr };
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

async function collect(stream: NodeJS.ReadableStream | null, log: JobLog): Promise<string> {
  if (stream === null) {
    return '';
  }
  let text = '';
  stream.on('data', (chunk) => {
    text += chunk;
  });
  stream.setEncoding('utf8');
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    log.line(line);
  }
  return text;
}
