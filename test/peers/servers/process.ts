import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const POLL_MS = 20;
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;

/** A folder for what servers keep, with a home and a place for temporary files, so that nothing of the machine's gets in. */
export interface ServerState {
  readonly folder: string;
  /** All that a process started here gets, besides what it is given. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes the folder, or keeps it for reading when a test of `suite` failed, and prints where it is. */
  close(suite: TestSuite): Promise<void>;
}

/** What vitest hands to `afterAll`, as far as it is needed here. */
export interface TestSuite {
  readonly tasks: readonly (Partial<TestSuite> & { readonly result?: { readonly state: string } | undefined })[];
}

export async function createState(name: string): Promise<ServerState> {
  const folder = await mkdtemp(join(tmpdir(), `gitless-${name}-`));
  const [home, temporary] = [join(folder, 'home'), join(folder, 'tmp')];
  await Promise.all([home, temporary, join(folder, 'log')].map((path) => mkdir(path)));
  return {
    folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: temporary, LANG: 'C.UTF-8', TZ: 'UTC' },
    async close(suite) {
      if (hasFailure(suite)) {
        console.log(`peers: logs and state of the servers are kept in ${folder}`);
        return;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function hasFailure({ tasks = [] }: Partial<TestSuite>): boolean {
  return tasks.some((task) => task.result?.state === 'fail' || hasFailure(task));
}

export interface ServerProcess {
  /**
   * Asks until `probe` answers, which is what it returns. Throws an Error with the end of the log when the process is
   * gone or the time is up.
   */
  until<T>(probe: () => Promise<T | undefined>): Promise<T>;
  /** Everything that the process printed so far. */
  printed(): Promise<string>;
  /** Ends the process and its children by their own process group, and waits for it. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs its arguments and keeps an eye on descriptor 3, whose other end is ours: when that closes because the tests are
 * gone, however they ended, the whole group is killed. TERM goes to the server, which ends in its own way.
 */
const ON_A_LEASH = `trap : TERM
"$@" 3<&- & server=$!
(trap - TERM; read -r _ <&3; kill -s KILL 0) & leash=$!
wait "$server"; code=$?
if kill -0 "$server" 2>/dev/null; then wait "$server"; code=$?; fi
kill "$leash" 2>/dev/null
exit "$code"`;

/** Starts a server in the folder of `state`; its output goes to `log/<name>.log` there. */
export function startProcess(state: ServerState, { name, file, args, env = {} }: ServerOptions): ServerProcess {
  const logFile = join(state.folder, 'log', `${name}.log`);
  const log = openSync(logFile, 'w');
  const child = spawn('/bin/sh', ['-c', ON_A_LEASH, 'sh', file, ...args], {
    cwd: state.folder,
    env: { ...state.env, ...env },
    stdio: ['ignore', log, log, 'pipe'],
    detached: true,
  });
  closeSync(log);
  let failure: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failure = error;
      resolve();
    });
    child.once('exit', (code, signal) => {
      failure = new Error(`it ended with ${signal ?? `exit code ${code}`}`);
      resolve();
    });
  });
  const printed = () => readFile(logFile, 'utf8');

  return {
    printed,
    async until(probe) {
      const deadline = Date.now() + READY_WITHIN_MS;
      for (;;) {
        const found = failure === undefined ? await probe().catch(() => undefined) : undefined;
        if (found !== undefined) {
          return found;
        }
        if (failure !== undefined || Date.now() > deadline) {
          const why = failure?.message ?? `it did not answer within ${READY_WITHIN_MS / 1000} s`;
          throw new Error(`${name} is not ready: ${why}\n${logFile}:\n${(await printed()).slice(-4000)}`);
        }
        await pause();
      }
    },
    async stop() {
      killGroup(child, 'SIGTERM');
      const kill = setTimeout(() => killGroup(child, 'SIGKILL'), STOP_WITHIN_MS);
      await ended;
      clearTimeout(kill);
    },
  };
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) {
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended by itself at this very moment.
  }
}

/** A {@link ServerProcess.until} probe: a GET of `url` is answered with 200. */
export function answers(url: string): () => Promise<true | undefined> {
  return async () => ((await fetch(url, { signal: AbortSignal.timeout(2000) })).ok ? true : undefined);
}

/** A {@link ServerProcess.until} probe: what the first group of `pattern` finds in the output of `server`. */
export function prints(server: () => ServerProcess, pattern: RegExp): () => Promise<string | undefined> {
  return async () => pattern.exec(await server().printed())?.[1];
}

/** Asks until `condition` holds. Throws an Error after ten seconds. */
export async function eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new Error(`it did not come true within 10 s: ${what}`);
    }
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/** Ports that are free at this moment, for servers that cannot choose one and tell. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject).listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
