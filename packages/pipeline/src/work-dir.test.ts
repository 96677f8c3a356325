import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withDirectory } from './fixtures.ts';
import { replaceDirectory, writeFileAtomic } from './work-dir.ts';

describe('writeFileAtomic', () => {
  it('makes folders, replaces content and leaves nothing beside it', async () => {
    await withDirectory(async (root) => {
      const path = join(root, 'a', 'b', 'file.json');
      await writeFileAtomic(path, 'one');
      await writeFileAtomic(path, new TextEncoder().encode('two'));
      expect(await readFile(path, 'utf8')).toBe('two');
      expect(await readdir(join(root, 'a', 'b'))).toEqual(['file.json']);
    });
  });

  it('never changes the file that a reader has open', async () => {
    await withDirectory(async (root) => {
      const path = join(root, 'file');
      await writeFileAtomic(path, 'one');
      const { ino } = await stat(path);
      await writeFileAtomic(path, 'two');
      expect((await stat(path)).ino).not.toBe(ino);
    });
  });

  it('keeps the former file when it cannot be replaced', async () => {
    await withDirectory(async (root) => {
      await mkdir(join(root, 'taken', 'by', 'a', 'folder'), { recursive: true });
      await expect(writeFileAtomic(join(root, 'taken'), 'x')).rejects.toThrow();
      expect(await readdir(root)).toEqual(['taken']);
    });
  });
});

describe('replaceDirectory', () => {
  it('puts a new folder in the place of the former, whole', async () => {
    await withDirectory(async (root) => {
      const path = join(root, 'rendered');
      await replaceDirectory(path, (directory) => writeFile(join(directory, 'old'), ''));
      await replaceDirectory(path, (directory) => writeFile(join(directory, 'new'), ''));
      expect(await readdir(path)).toEqual(['new']);
      expect(await readdir(root)).toEqual(['rendered']);
    });
  });

  it('leaves the former folder readable while it builds and after it failed', async () => {
    await withDirectory(async (root) => {
      const path = join(root, 'rendered');
      await replaceDirectory(path, (directory) => writeFile(join(directory, 'old'), 'content'));
      const failing = replaceDirectory(path, async (directory) => {
        await writeFile(join(directory, 'new'), '');
        expect(await readFile(join(path, 'old'), 'utf8')).toBe('content');
        throw new Error('no space left');
      });
      await expect(failing).rejects.toThrow('no space left');
      expect(await readFile(join(path, 'old'), 'utf8')).toBe('content');
      expect(await readdir(root)).toEqual(['rendered']);
    });
  });

  it('gives the former folder back when the new one vanishes before the switch', async () => {
    await withDirectory(async (root) => {
      const path = join(root, 'rendered');
      await replaceDirectory(path, (directory) => writeFile(join(directory, 'old'), ''));
      await expect(replaceDirectory(path, (directory) => rm(directory, { recursive: true }))).rejects.toThrow('ENOENT');
      expect(await readdir(path)).toEqual(['old']);
    });
  });
});
