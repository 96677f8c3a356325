import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isMissingFile } from './missing-file.ts';

describe('isMissingFile', () => {
  it('is true for a file that is not there, and for no other failure', async () => {
    const failure = (path: string) => readFile(path).catch((error: unknown) => error);
    expect(isMissingFile(await failure(join(tmpdir(), 'gitless-no-such-file')))).toBe(true);
    expect(isMissingFile(await failure(tmpdir()))).toBe(false);
    expect(isMissingFile(new Error('ENOENT'))).toBe(false);
    expect(isMissingFile('ENOENT')).toBe(false);
  });
});
