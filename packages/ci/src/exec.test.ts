import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@gitless/core';
import { githubEnvironment } from '@gitless/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createExec } from './exec.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'exec-'));
});
afterEach(() => rm(dir, { recursive: true }));

const { PATH } = process.env;
const exec = createExec({ PATH }, new AbortController().signal);

async function environmentOfChild(env: Record<string, string | undefined>, added?: Record<string, string>) {
  const options = added === undefined ? {} : { env: added };
  const { stdout } = await createExec(env, new AbortController().signal)('env', ['-0'], options);
  return Object.fromEntries(stdout.split('\0').flatMap((line) => (line === '' ? [] : [line.split(/=(.*)/s, 2)])));
}

describe('exec', () => {
  it('gives output and exit code; a failure of the program is a result', async () => {
    expect(await exec('sh', ['-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(await exec('true', [])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('lets nothing of the job’s environment through but where programs, certificates and the network are', async () => {
    const allowed = {
      PATH,
      HOME: '/home/runner',
      TMPDIR: '/tmp',
      LANG: 'C',
      LC_ALL: 'C',
      TZ: 'UTC',
      SSL_CERT_FILE: '/ca.pem',
      SSL_CERT_DIR: '/ca',
      HTTP_PROXY: 'http://proxy',
      HTTPS_PROXY: 'http://proxy',
      NO_PROXY: 'localhost',
      http_proxy: 'http://proxy',
      https_proxy: 'http://proxy',
      no_proxy: 'localhost',
    };
    const secrets = {
      ...githubEnvironment(),
      ACTIONS_ID_TOKEN_REQUEST_URL: 'https://token.example/x',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'hunter2',
      ACTIONS_RUNTIME_TOKEN: 'hunter2',
      ACTIONS_RESULTS_URL: 'https://results.example/x',
      INPUT_PASSWORD: 'hunter2',
      'INPUT_JOB-TOKEN': 'hunter2',
      GITHUB_TOKEN: 'hunter2',
      GH_TOKEN: 'hunter2',
      DOCKER_CONFIG: '/home/runner/.docker',
      AWS_SECRET_ACCESS_KEY: 'hunter2',
      LD_PRELOAD: '/evil.so',
      GIT_CONFIG_COUNT: '1',
      HELM_PLUGINS: '/evil',
      PATHS: 'x',
    };
    expect(await environmentOfChild({ ...secrets, ...allowed })).toEqual(allowed);
  });

  it('adds what the caller names, over what is allowed', async () => {
    const seen = await environmentOfChild({ PATH, HOME: '/home/runner' }, { HOME: '/elsewhere', HELM_CACHE: 'c' });
    expect(seen).toEqual({ PATH, HOME: '/elsewhere', HELM_CACHE: 'c' });
  });

  it('hands arguments over as they are, to no shell', async () => {
    const argument = fc
      .string({ unit: 'grapheme', maxLength: 40 })
      .filter((text) => !text.includes('\0') && text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 4 }), async (args) => {
        const { stdout } = await exec('printf', ['%s\\0', '$(id)`id`;|&', ...args]);
        expect(stdout).toBe(['$(id)`id`;|&', ...args, ''].join('\0'));
      }),
      { numRuns: 25 },
    );
  });

  it('runs where it is told to', async () => {
    expect((await exec('pwd', [], { cwd: '/' })).stdout).toBe('/\n');
  });

  it('tells a program that is not there from one that may not run and from a missing directory', async () => {
    await expect(exec('no-such-tool', ['--version'])).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: 'no-such-tool is not installed on this runner [TOOL_MISSING]',
    });
    const file = join(dir, 'tool');
    await writeFile(file, '#!/bin/sh\n');
    await chmod(file, 0o644);
    await expect(exec(file, [])).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      problem: { why: 'the file may not be executed' },
    });
    await expect(exec('true', [], { cwd: join(dir, 'nowhere') })).rejects.toMatchObject({ code: 'PATH_MISSING' });
  });

  it('gives 128 and the signal’s number when the program was killed, as a shell does', async () => {
    expect(await exec('sh', ['-c', 'echo out; kill -KILL $$'])).toEqual({ exitCode: 137, stdout: 'out\n', stderr: '' });
  });

  it('ends the program with the run, and says why the run ended', async () => {
    const abort = new AbortController();
    const reason = new UserError({ code: 'CANCELLED', what: 'the run was cancelled' });
    const running = createExec({ PATH }, abort.signal)('sleep', ['60']);
    abort.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect(createExec({ PATH }, abort.signal)('true', [])).rejects.toBe(reason);
  });

  it('does not read without end', async () => {
    await expect(exec('yes', ['x'.repeat(1000)])).rejects.toMatchObject({ code: 'TOOL_OUTPUT_TOO_LARGE' });
  });
});
