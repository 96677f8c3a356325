import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRegistry } from '../registry/server.ts';
import { type RunOptions, runAction } from './run.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'runner-'));
});
afterEach(() => rm(root, { recursive: true }));

const ACTION = `
name: Probe
inputs:
  allow-dirty: {default: false}
  work dir: {default: '\${{ runner.temp }}/gitless'}
  path: {default: '\${{github.workspace}}'}
  token: {default: '\${{ github.token }}'}
  version: {default: 1.10}
  name: {required: true}
runs: {using: node24, main: ../../dist/probe/index.cjs}
`;

/** Runs `script` where a bundle stands in the repository. */
async function run(script: string, options: Partial<RunOptions> = {}, action = ACTION) {
  const files = {
    'actions/probe/action.yml': action,
    'dist/probe/index.cjs': `'use strict';const fs = require('node:fs');${script}`,
  };
  for (const [path, content] of Object.entries({ ...files, 'tree/README.md': '' })) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return await runAction({
    action: 'probe',
    workspace: { dir: join(root, 'tree') },
    temp: join(root, 'temp'),
    root,
    ...options,
  });
}

const PRINT_ENV = 'console.log(JSON.stringify(process.env));';

describe('runAction', () => {
  it('gives inputs as the runner does, with defaults and their expressions', async () => {
    const { stdout } = await run(PRINT_ENV, { inputs: { name: 'web' }, token: 'job-token-1' });
    const env = Object(JSON.parse(stdout));
    expect(Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('INPUT_')))).toEqual({
      'INPUT_ALLOW-DIRTY': 'false',
      INPUT_WORK_DIR: join(root, 'temp/gitless'),
      INPUT_PATH: join(root, 'tree'),
      INPUT_TOKEN: 'job-token-1',
      INPUT_VERSION: '1.10',
      INPUT_NAME: 'web',
    });
  });

  it('builds the environment from scratch', async () => {
    process.env['TESTKIT_PROBE'] = 'of the machine';
    const { stdout } = await run(PRINT_ENV, {
      env: { GITHUB_REF: 'refs/heads/x', GITHUB_ACTIONS: undefined, TZ: 'Asia/Tokyo' },
      workspace: { dir: join(root, 'tree'), sha: 'a'.repeat(40) },
    });
    delete process.env['TESTKIT_PROBE'];
    const env = Object(JSON.parse(stdout));
    expect(env).toMatchObject({
      GITHUB_SHA: 'a'.repeat(40),
      GITHUB_WORKFLOW_REF: 'acme/shop/.github/workflows/ship.yml@refs/heads/x',
      GITHUB_WORKSPACE: join(root, 'tree'),
      HOME: join(root, 'temp/_github_home'),
      PATH: process.env['PATH'],
      TZ: 'Asia/Tokyo',
    });
    for (const name of ['PWD', 'TESTKIT_PROBE', 'GITHUB_ACTIONS', 'GITHUB_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_URL']) {
      expect(env).not.toHaveProperty(name);
    }
    const event: unknown = JSON.parse(await readFile(env.GITHUB_EVENT_PATH, 'utf8'));
    expect(event).toMatchObject({ after: 'a'.repeat(40), repository: { default_branch: 'main' } });
  });

  it('returns what the action wrote and printed', async () => {
    const script = `
      const append = (name, text) => fs.appendFileSync(process.env['GITHUB_' + name], text);
      append('OUTPUT', 'digest<<E\\nline 1\\nline 2\\nE\\n');
      append('STATE', 'seen=1\\n');
      append('ENV', 'NEXT=2\\n');
      append('STEP_SUMMARY', '# Done\\n');
      console.log('::add-mask::hush');
      console.log('in ' + process.cwd() + ': hush ' + process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN);
      console.log('::error::broken hush');
      process.exitCode = 3;`;
    const result = await run(script, { oidc: { url: 'http://127.0.0.1/token', token: 'request-token' } });
    expect(result).toEqual({
      exitCode: 3,
      stdout: `::add-mask::hush\nin ${join(root, 'tree')}: hush request-token\n::error::broken hush\n`,
      stderr: '',
      outputs: { digest: 'line 1\nline 2' },
      state: { seen: '1' },
      env: { NEXT: '2' },
      summary: '# Done\n',
      masks: ['hush'],
      annotations: [{ level: 'error', message: 'broken hush' }],
      log: `in ${join(root, 'tree')}: *** ***\n##[error]broken ***\n`,
    });
  });

  it('keeps stderr apart and shows it in the log', async () => {
    const result = await run("console.error('trouble');");
    expect([result.stdout, result.stderr, result.log]).toEqual(['', 'trouble\n', 'trouble\n']);
  });

  it('runs under a umask', async () => {
    await run("fs.writeFileSync('made', '');", { umask: 0o027 });
    const { mode } = await stat(join(root, 'tree/made'));
    expect((mode & 0o777).toString(8)).toBe('640');
  });

  it('kills the action on a signal, and reports what it did before', async () => {
    const abort = new AbortController();
    const registry = await startRegistry();
    registry.onRequest = () => {
      abort.abort();
      return { kind: 'hang' };
    };
    const script = `fs.appendFileSync(process.env.GITHUB_OUTPUT, 'a=1\\n');
      process.on('SIGTERM', () => {});
      fetch('http://${registry.host}/v2/').then(() => console.log('never'));`;
    const result = await run(script, { signal: abort.signal });
    await registry.close();
    expect([result.exitCode, result.outputs, result.stdout]).toEqual([137, { a: '1' }, '']);
    const late = await run(script, { signal: abort.signal });
    expect(late.exitCode).toBe(137);
  });

  it.each([
    ['an undeclared input', ACTION, { inputs: { nmae: 'web' } }, 'declares no input "nmae"'],
    ['an expression it does not know', ACTION.replace('github.token', 'secrets.X'), {}, 'the expression secrets.X'],
    ['another runtime', ACTION.replace('node24', 'node20'), {}, '[ACTION_FILE_INVALID]'],
  ])('refuses %s', async (_what, action, options, message) => {
    await expect(run(PRINT_ENV, options, action)).rejects.toThrow(message);
  });
});
