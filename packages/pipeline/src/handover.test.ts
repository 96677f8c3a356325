import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { BUILD, withDirectory } from './fixtures.ts';
import { failureOf, forgetResult, parseResult, readResult, requireAllOk, writeResult } from './handover.ts';
import type { Result } from './results.ts';
import { workDir } from './work-dir.ts';

const RESULT: Result = {
  schema: 1,
  step: 'package',
  build: BUILD,
  components: [{ name: 'web', status: 'ok' }],
  findings: ['web: something to know'],
};

describe('a result on its way to the next step', () => {
  it('is canonical JSON under the name of its step, and reads back the same', async () => {
    await withDirectory(async (root) => {
      const dir = workDir(root);
      const path = await writeResult(dir, RESULT);
      expect(path).toBe(join(root, 'result', 'package.json'));
      expect(await readFile(path, 'utf8')).toBe(canonicalJson(RESULT));
      expect(await readResult(dir, 'package', BUILD)).toEqual(RESULT);
      expect(await readdir(join(root, 'result'))).toEqual(['package.json']);
    });
  });

  it('is gone once its step starts again', async () => {
    await withDirectory(async (root) => {
      const dir = workDir(root);
      await forgetResult(dir, 'package');
      await writeResult(dir, RESULT);
      await forgetResult(dir, 'package');
      await expect(readResult(dir, 'package', BUILD)).rejects.toMatchObject({ code: 'STEP_MISSING' });
    });
  });

  it.each([
    ['no JSON', '{"schema":1', 'BAD_RESULT'],
    ['another shape', '{}', 'BAD_RESULT'],
    ['the result of another step', canonicalJson({ ...RESULT, step: 'render' }), 'RESULT_STALE'],
  ])('is refused when the file holds %s', async (_what, content, code) => {
    await withDirectory(async (root) => {
      const dir = workDir(root);
      await writeResult(dir, RESULT);
      await writeFile(dir.result('package'), content);
      await expect(readResult(dir, 'package', BUILD)).rejects.toMatchObject({ code });
    });
  });
});

describe('parseResult', () => {
  it.each([
    ['repository', { repository: 'acme/other' }],
    ['sha', { sha: 'f'.repeat(40) }],
    ['runId', { runId: '1' }],
  ])('refuses the result of another %s as stale, naming both', (field, change) => {
    const json = canonicalJson({ ...RESULT, build: { ...BUILD, ...change } });
    const [value] = Object.values(change);
    expect(() => parseResult(json, 'it', 'package', BUILD)).toThrow('[RESULT_STALE]');
    try {
      parseResult(json, 'it', 'package', BUILD);
    } catch (error) {
      expect(error instanceof UserError && error.problem.details?.join()).toContain(`${field}: expected`);
      expect(error instanceof UserError && error.problem.details?.join()).toContain(`seen ${value}`);
    }
  });

  it.each([
    ['attempt', { runAttempt: '2' }],
    ['actor', { actor: 'hubot' }],
  ])('takes the result of another %s of the same run', (_what, change) => {
    expect(parseResult(canonicalJson(RESULT), 'it', 'package', { ...BUILD, ...change })).toEqual(RESULT);
  });
});

describe('failures of components', () => {
  it('keep their code and message, and make the job red', () => {
    const error = failureOf(new UserError({ code: 'CHECKS_FAILED', what: 'web fails', fix: 'mend it' }));
    expect(error.code).toBe('CHECKS_FAILED');
    expect(error.message).toContain('web fails [CHECKS_FAILED]');
    expect(error.message).toContain('Fix: mend it');
    expect(() =>
      requireAllOk([
        { name: 'web', status: 'failed', error },
        { name: 'api', status: 'ok' },
      ]),
    ).toThrow('[COMPONENTS_FAILED]');
    expect(() => requireAllOk([{ name: 'api', status: 'ok' }])).not.toThrow();
  });

  it('are defects of ours when nobody gave them a code', () => {
    expect(failureOf(new TypeError('x is not a function')).code).toBe('INTERNAL');
  });
});
