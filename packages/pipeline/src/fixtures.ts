import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Build, type Context, createHttpClient, silentLogger } from '@gitless/core';

export const BUILD: Build = {
  serverUrl: 'https://github.com',
  repository: 'acme/shop',
  repositoryId: '1',
  repositoryOwnerId: '2',
  ref: 'refs/heads/main',
  sha: '0123456789abcdef0123456789abcdef01234567',
  workflow: 'Ship',
  workflowRef: 'acme/shop/.github/workflows/ship.yml@refs/heads/main',
  eventName: 'push',
  runId: '4242',
  runAttempt: '1',
  actor: 'octocat',
  runnerEnvironment: 'github-hosted',
};

/** Real HTTP without retries; runs no program. */
export function testContext(): Context {
  const { signal } = new AbortController();
  const settings = { retries: 0, backoffMs: 1, maxBackoffMs: 1, timeoutMs: 10_000 };
  const sleep = async () => undefined;
  return {
    env: {},
    log: silentLogger,
    http: createHttpClient(settings, { log: silentLogger, sleep, signal }),
    exec: () => Promise.reject(new Error('runs nothing')),
    now: () => new Date(),
    sleep,
    signal,
    mask: () => undefined,
  };
}

/** A directory for the time of `work`. */
export async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'pipeline-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
