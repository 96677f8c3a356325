import { setTimeout } from 'node:timers/promises';
import * as core from '@actions/core';
import {
  type Build,
  type Context,
  createHttpClient,
  DEFAULT_HTTP_SETTINGS,
  formatError,
  type HttpSettings,
  type Logger,
  UserError,
} from '@gitless/core';
import { docsAddress } from './docs-address.ts';
import { createExec } from './exec.ts';
import { type Event, readBuild, readEvent } from './github.ts';
import { type InputSpecs, type InputValues, readInputs } from './inputs.ts';
import { plainLines } from './plain-lines.ts';

/** GitHub refuses a step summary over 1 MiB (docs.github.com "Workflow commands", "Step isolation and limits"). */
const MAX_SUMMARY_BYTES = 1024 * 1024 - 512;

/** What an action's main gets: the world, the run, and where its results go. */
export interface Action {
  readonly context: Context;
  readonly build: Build;
  readonly event: Event;
  /** Absolute path of the checkout. */
  readonly workspace: string;
  /** Absolute path of the job's own temporary directory. */
  readonly temp: string;
  readonly setOutput: (name: string, value: string) => void;
  /** Adds Markdown to the job summary; a failure is only a warning. */
  readonly writeSummary: (markdown: string) => Promise<void>;
}

/**
 * Entry of every action: reads the inputs and only then loads the rest, so that a wrong input is told at once.
 * `load` must lead to {@link runMain}: error classes are not shared between the two files of a bundle.
 */
export async function startAction<S extends InputSpecs>(
  name: string,
  specs: S,
  load: () => Promise<{ main: (inputs: InputValues<S>) => Promise<void> }>,
): Promise<void> {
  let inputs: InputValues<S>;
  try {
    inputs = readInputs(specs, process.env, mask);
  } catch (error) {
    fail(name, error);
    return;
  }
  const { main } = await load();
  await main(inputs);
}

/** Runs an action's main with everything it needs, and turns whatever it throws into one error that a person can act on. */
export async function runMain(name: string, work: (action: Action) => Promise<void>): Promise<void> {
  try {
    requireSupportedRunner(process.platform, process.arch);
    const context = createContext();
    const build = readBuild(process.env);
    const action: Action = {
      context,
      build,
      event: readEvent(process.env),
      workspace: directory('GITHUB_WORKSPACE'),
      temp: directory('RUNNER_TEMP'),
      setOutput: core.setOutput,
      writeSummary,
    };
    await work(action);
  } catch (error) {
    fail(name, error);
  }
}

function createContext(): Context {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      // A second signal ends the process as usual.
      abort.abort(
        new UserError({
          code: 'CANCELLED',
          what: `the run was cancelled (${signal})`,
          fix: 'run the job again: it completes what is missing',
        }),
      );
    });
  }
  const sleep = async (milliseconds: number) => {
    await setTimeout(milliseconds, undefined, { signal: abort.signal }).catch(() => abort.signal.throwIfAborted());
  };
  const http = createHttpClient(httpSettings(process.env), { log: logger, sleep, signal: abort.signal });
  return {
    env: process.env,
    log: logger,
    http,
    exec: createExec(process.env, abort.signal),
    now: () => new Date(),
    sleep,
    signal: abort.signal,
    mask,
  };
}

/** Documented in docs/settings.md; tests and slow networks change them, a workflow hardly ever does. */
function httpSettings(env: Readonly<Record<string, string | undefined>>): HttpSettings {
  const setting = (name: string, fallback: number): number => {
    const value = env[name];
    if (value === undefined || value === '') {
      return fallback;
    }
    if (!/^\d{1,7}$/.test(value)) {
      throw new UserError({
        code: 'BAD_ENVIRONMENT',
        what: `${name} is ${JSON.stringify(value)}`,
        fix: 'give a whole number',
      });
    }
    return Number(value);
  };
  return {
    retries: setting('GITLESS_HTTP_RETRIES', DEFAULT_HTTP_SETTINGS.retries),
    backoffMs: setting('GITLESS_HTTP_BACKOFF_MS', DEFAULT_HTTP_SETTINGS.backoffMs),
    maxBackoffMs: setting('GITLESS_HTTP_MAX_BACKOFF_MS', DEFAULT_HTTP_SETTINGS.maxBackoffMs),
    timeoutMs: setting('GITLESS_HTTP_TIMEOUT_MS', DEFAULT_HTTP_SETTINGS.timeoutMs),
  };
}

function requireSupportedRunner(platform: string, arch: string): void {
  if (platform !== 'linux' || !['x64', 'arm64'].includes(arch)) {
    throw new UserError({
      code: 'RUNNER_UNSUPPORTED',
      what: `this runner is ${platform}/${arch}`,
      why: 'artifacts must have the same bytes everywhere, which is tested on Linux x64 and arm64',
      fix: 'run the job on a Linux runner, for example ubuntu-latest',
    });
  }
}

function directory(name: string): string {
  const value = process.env[name];
  if (value === undefined || !value.startsWith('/')) {
    throw new UserError({
      code: 'BAD_ENVIRONMENT',
      what: `${name} is ${JSON.stringify(value) ?? 'not set'}, not an absolute path`,
      fix: 'let no step change the variables that the runner sets',
    });
  }
  return value;
}

const logger: Logger = {
  debug: core.debug,
  info: (message) => core.info(plainLines(message)),
  warning: (message) => core.warning(message),
  group: core.group,
};

/** Short values are not masked: the runner would then blank half the log and drop job outputs (actions/runner#1061). */
function mask(secret: string): void {
  for (const part of new Set([secret, ...secret.split('\n')])) {
    if (part.length >= 6) {
      core.setSecret(part);
    }
  }
}

async function writeSummary(markdown: string): Promise<void> {
  try {
    const bytes = Buffer.from(markdown);
    const note = '\n\n_Cut: a step summary holds at most 1 MiB; the complete result is in the JSON file._\n';
    const whole = bytes.byteLength <= MAX_SUMMARY_BYTES;
    await core.summary.addRaw(whole ? markdown : bytes.subarray(0, MAX_SUMMARY_BYTES).toString() + note).write();
  } catch (error) {
    core.warning(`the job summary could not be written: ${error instanceof Error ? error.message : 'unknown reason'}`);
  }
}

function fail(name: string, error: unknown): void {
  core.setFailed(`${name} failed: ${formatError(error, docsAddress(process.env))}`);
  if (!(error instanceof UserError) && core.isDebug() && error instanceof Error) {
    core.info(plainLines(error.stack ?? ''));
  }
}
