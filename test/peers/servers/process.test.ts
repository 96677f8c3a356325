import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createState, eventually, type ServerState, startProcess } from './process.ts';

const SLEEPER = ['-c', 'echo $$; trap "echo told to end; exit 3" TERM; while :; do sleep 0.05; done'];

let state: ServerState;
beforeEach(async () => {
  state = await createState('process');
});
afterEach(() => state.close({ tasks: [] }));

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it('ends a server in its own way and waits for it', async () => {
  const server = startProcess(state, { name: 'sleeper', file: '/bin/sh', args: SLEEPER });
  const pid = await server.until(async () => Number((await server.printed()).trim()) || undefined);
  expect(isRunning(pid)).toBe(true);
  await server.stop();
  expect(isRunning(pid)).toBe(false);
  expect(await server.printed()).toContain('told to end');
});

it('says how a server ended that should have become ready, and what it printed', async () => {
  const server = startProcess(state, { name: 'liar', file: '/bin/sh', args: ['-c', 'echo no port left; exit 4'] });
  await expect(server.until(async () => undefined)).rejects.toThrow(
    /liar is not ready.*exit code 4[\s\S]*no port left/,
  );
});

it('leaves no server behind when the tests themselves are killed', async () => {
  const script = `
    import { createState, startProcess } from ${JSON.stringify(join(import.meta.dirname, 'process.ts'))};
    const state = { folder: ${JSON.stringify(state.folder)}, env: { PATH: process.env.PATH } };
    startProcess(state, { name: 'orphan', file: '/bin/sh', args: ${JSON.stringify(SLEEPER)} });
    setInterval(() => {}, 1000);`;
  const tests = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' });
  const log = join(state.folder, 'log', 'orphan.log');
  let pid = Number.NaN;
  await eventually('the server runs', async () => {
    pid = Number((await readFile(log, 'utf8').catch(() => '')).trim() || 'NaN');
    return pid > 0;
  });
  tests.kill('SIGKILL');
  await eventually('the server is gone', async () => !isRunning(pid));
});
