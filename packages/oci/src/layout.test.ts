import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hexOf } from '@gitless/core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { descriptorOf } from './descriptor.ts';
import { initLayout, readBlob, readLayoutIndex, writeBlob, writeLayoutIndex } from './layout.ts';

const bytes = Buffer.from('content');
const descriptor = descriptorOf('text/plain', bytes);
let dir: string;
let blob: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'layout-'));
  blob = join(dir, 'blobs', 'sha256', hexOf(descriptor.digest));
  await initLayout(dir);
});
afterEach(() => rm(dir, { recursive: true }));

describe('an image layout', () => {
  it('is one from the start, and stays what it is when made again', async () => {
    expect(JSON.parse(await readFile(join(dir, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(await readLayoutIndex(dir)).toEqual([]);
    await writeLayoutIndex(dir, [descriptor]);
    await initLayout(dir);
    expect(await readLayoutIndex(dir)).toEqual([descriptor]);
    expect((await readdir(dir)).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });

  it('gives back a blob, and does not write an equal one again', async () => {
    expect(await writeBlob(dir, bytes)).toBe(descriptor.digest);
    const before = await stat(blob);
    await writeBlob(dir, bytes);
    expect((await stat(blob)).ino).toBe(before.ino);
    expect(Buffer.from(await readBlob(dir, descriptor))).toEqual(bytes);
  });

  it('mends a blob that was changed', async () => {
    await writeFile(blob, 'CONTENT');
    await writeBlob(dir, bytes);
    expect(Buffer.from(await readBlob(dir, descriptor))).toEqual(bytes);
  });

  it('refuses a blob that is missing, changed, of another size, or not a file', async () => {
    await expect(readBlob(dir, descriptor)).rejects.toMatchObject({ code: 'LAYOUT_BLOB_MISSING' });
    for (const content of ['CONTENT', 'content and more', '']) {
      await writeFile(blob, content);
      await expect(readBlob(dir, descriptor)).rejects.toMatchObject({ code: 'LAYOUT_BLOB_CHANGED' });
    }
    await expect(readBlob(dir, { ...descriptor, size: 3 })).rejects.toMatchObject({ code: 'LAYOUT_BLOB_CHANGED' });
  });

  it('follows no symbolic link, and replaces one when it writes', async () => {
    const outside = join(dir, 'outside');
    await writeFile(outside, bytes);
    await symlink(outside, blob);
    await expect(readBlob(dir, descriptor)).rejects.toMatchObject({ code: 'LAYOUT_BLOB_CHANGED' });
    await writeBlob(dir, bytes);
    expect((await lstat(blob)).isSymbolicLink()).toBe(false);
  });

  it('writes the same index for the same descriptors in any order', async () => {
    const named = (name: string, artifactType: string) => ({
      ...descriptor,
      artifactType,
      annotations: { 'org.opencontainers.image.ref.name': name },
    });
    const sorted = [descriptor, named('a', 'x/y'), named('a', 'x/z'), named('b', 'x/a')];
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(sorted, { minLength: sorted.length }), async (shuffled) => {
        await writeLayoutIndex(dir, shuffled);
        expect(await readLayoutIndex(dir)).toEqual(sorted);
      }),
      { numRuns: 20 },
    );
  });

  it('says when a directory is not a layout', async () => {
    await writeFile(join(dir, 'oci-layout'), '{"imageLayoutVersion":"9"}');
    await expect(readLayoutIndex(dir)).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
    await expect(readLayoutIndex(join(dir, 'blobs'))).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
  });
});
