import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTar, type TreeFile, treeEntries, treeFiles, writeTar } from '@gitless/artifact';
import { canonicalJson, sha256 } from '@gitless/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILD, withDirectory } from './fixtures.ts';
import { writeResult } from './handover.ts';
import {
  packRenderedTree,
  type RenderedTree,
  readRenderedTree,
  unpackRenderedTree,
  writeRenderedTree,
} from './rendered-tree.ts';
import { workDir } from './work-dir.ts';

function file(path: string, text: string): TreeFile {
  return { path, content: Buffer.from(text), executable: false };
}

function tree(components: Readonly<Record<string, readonly TreeFile[]>>): RenderedTree {
  return {
    files: new Map(Object.entries(components)),
    result: {
      schema: 1,
      step: 'render',
      build: BUILD,
      components: Object.entries(components).map(([name, files]) => ({
        name,
        status: 'ok' as const,
        environments: [...new Set(files.map(({ path }) => path.split('/')[0] ?? ''))],
        files: files.map(({ path, content }) => ({ path, sha256: sha256(content) })),
      })),
      findings: [],
      tools: [],
    },
  };
}

const TREE = tree({
  web: [file('production/deployment-web.yaml', 'kind: Deployment\n'), file('staging/deployment-web.yaml', 'kind: x\n')],
  'api.v2': [file('default/clusterrole-system:reader.yaml', '')],
});

/** The texts of a tree, so that buffers and arrays of bytes compare equal. */
function texts({ files }: RenderedTree): unknown {
  return [...files].map(([name, list]) => [
    name,
    list.map(({ path, content }) => [path, Buffer.from(content).toString()]),
  ]);
}

/** A tar of `files` in place of the one that render wrote, with its own digest. */
function forged(files: readonly TreeFile[]): { tar: Uint8Array; digest: string } {
  const tar = writeTar(treeEntries(files));
  return { tar, digest: sha256(tar) };
}

describe('the rendered tree between two jobs', () => {
  it('comes out as it went in', async () => {
    const { tar, digest } = packRenderedTree(TREE);
    const unpacked = await unpackRenderedTree(tar, digest, BUILD);
    expect(texts(unpacked)).toEqual(texts(TREE));
    expect(unpacked.result).toEqual(TREE.result);
  });

  it('is the same tar for the same tree, in whatever order', () => {
    const files = [file('a/1.yaml', '1'), file('a/2.yaml', '2'), file('b/1.yaml', '3')];
    const one = packRenderedTree({ ...TREE, files: new Map([['web', files]]) });
    const other = packRenderedTree({ ...TREE, files: new Map([['web', [...files].reverse()]]) });
    expect(other.digest).toBe(one.digest);
  });

  it('is refused when a single bit of the tar changed', async () => {
    const { tar, digest } = packRenderedTree(TREE);
    await fc.assert(
      fc.asyncProperty(fc.nat(tar.byteLength * 8 - 1), async (bit) => {
        const changed = Uint8Array.from(tar);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        await expect(unpackRenderedTree(changed, digest, BUILD)).rejects.toMatchObject({ code: 'RENDERED_CHANGED' });
      }),
      { numRuns: 50 },
    );
  });

  it('is refused with something else than a digest', async () => {
    const { tar } = packRenderedTree(TREE);
    await expect(unpackRenderedTree(tar, 'latest', BUILD)).rejects.toMatchObject({ code: 'BAD_DIGEST' });
  });

  it('is refused without a result, with one of another run, and when the result names what is not there', async () => {
    const entries = treeFiles(readTar(packRenderedTree(TREE).tar));
    const without = forged(entries.filter(({ path }) => path !== 'render.json'));
    await expect(unpackRenderedTree(without.tar, without.digest, BUILD)).rejects.toMatchObject({ code: 'BAD_RESULT' });

    const { tar, digest } = packRenderedTree(TREE);
    await expect(unpackRenderedTree(tar, digest, { ...BUILD, runId: '1' })).rejects.toMatchObject({
      code: 'RESULT_STALE',
    });

    const missing = forged(entries.filter(({ path }) => !path.includes('staging')));
    await expect(unpackRenderedTree(missing.tar, missing.digest, BUILD)).rejects.toMatchObject({
      code: 'RENDERED_CHANGED',
      problem: { details: ['web/staging/deployment-web.yaml: is missing'] },
    });
  });

  it('gives nothing that its result does not list', async () => {
    const entries = treeFiles(readTar(packRenderedTree(TREE).tar));
    const more = forged([...entries, file('rendered/web/staging/extra.yaml', 'kind: Secret\n')]);
    expect(texts(await unpackRenderedTree(more.tar, more.digest, BUILD))).toEqual(texts(TREE));
  });

  it('cannot name a component outside of its folder', async () => {
    const { result } = tree({ web: [] });
    const json = canonicalJson({ ...result, components: [{ name: '../../outside', status: 'ok', files: [] }] });
    const hostile = forged([file('render.json', json)]);
    await expect(unpackRenderedTree(hostile.tar, hostile.digest, BUILD)).rejects.toMatchObject({ code: 'BAD_RESULT' });
  });
});

describe('the rendered tree within a job', () => {
  async function rendered<T>(work: (root: string) => Promise<T>): Promise<T> {
    return withDirectory(async (root) => {
      await writeRenderedTree(workDir(root), TREE.files);
      await writeResult(workDir(root), TREE.result);
      return work(root);
    });
  }

  it('reads back as written, and an earlier tree is gone', async () => {
    await rendered(async (root) => {
      const dir = workDir(root);
      expect(texts(await readRenderedTree(dir, BUILD))).toEqual(texts(TREE));
      await writeRenderedTree(dir, new Map([['docs', [file('default/a.yaml', '')]]]));
      expect(await readdir(dir.rendered)).toEqual(['docs']);
    });
  });

  it('is refused when a file differs or is missing, naming all', async () => {
    await rendered(async (root) => {
      const dir = workDir(root);
      await writeFile(join(dir.rendered, 'web/staging/deployment-web.yaml'), 'kind: Secret\n');
      await rm(join(dir.rendered, 'web/production/deployment-web.yaml'));
      await expect(readRenderedTree(dir, BUILD)).rejects.toMatchObject({
        code: 'RENDERED_CHANGED',
        problem: {
          details: [
            'web/production/deployment-web.yaml: is missing',
            'web/staging/deployment-web.yaml: has another content',
          ],
        },
      });
      expect(await readFile(dir.result('render'), 'utf8')).toBe(canonicalJson(TREE.result));
    });
  });

  it('leaves out what the result does not list', async () => {
    await rendered(async (root) => {
      const dir = workDir(root);
      await writeFile(join(dir.rendered, 'web/staging/extra.yaml'), 'kind: Secret\n');
      expect(texts(await readRenderedTree(dir, BUILD))).toEqual(texts(TREE));
    });
  });
});
