import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DEFAULT_TAR_LIMITS, readTar, type TreeFile, treeEntries, treeFiles, writeTar } from '@gitless/artifact';
import { type Build, canonicalJson, type Digest, parseDigest, sha256, UserError } from '@gitless/core';
import { parseResult, readResult } from './handover.ts';
import type { ComponentResult, Result } from './results.ts';
import { replaceDirectory, type WorkDir } from './work-dir.ts';

/** What `render` hands over: its result, and each component's files relative to the component. */
export interface RenderedTree {
  readonly result: Result;
  readonly files: ReadonlyMap<string, readonly TreeFile[]>;
}

const RESULT_FILE = 'render.json';
const TREE = 'rendered';

/** Replaces `rendered/` as a whole: what an earlier run left there is gone. */
export async function writeRenderedTree(dir: WorkDir, files: RenderedTree['files']): Promise<void> {
  await replaceDirectory(dir.rendered, async (root) => {
    for (const [component, tree] of files) {
      for (const file of tree) {
        const path = join(root, component, file.path);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, file.content);
      }
    }
  });
}

/** The rendered tree and its result as one tar: between jobs it travels as one file, whose digest goes through the job's outputs (invariant 10). */
export function packRenderedTree(tree: RenderedTree): { readonly tar: Uint8Array; readonly digest: Digest } {
  const entries = [...tree.files].flatMap(([component, files]) =>
    files.map((file) => ({ ...file, path: `${TREE}/${component}/${file.path}` })),
  );
  const result = { path: RESULT_FILE, content: Buffer.from(canonicalJson(tree.result)), executable: false };
  const tar = writeTar(treeEntries([result, ...entries]));
  return { tar, digest: sha256(tar) };
}

/** Reads the tar of another job as data only. Throws `RENDERED_CHANGED` unless it has the digest that the job's outputs carried. */
export async function unpackRenderedTree(tar: Uint8Array, expected: string, build: Build): Promise<RenderedTree> {
  const digest = sha256(tar);
  if (digest !== parseDigest('rendered-digest', expected)) {
    throw new UserError({
      code: 'RENDERED_CHANGED',
      what: 'the rendered tree is not the one that the render job made',
      details: [`expected ${expected}`, `seen ${digest}`],
      fix: 'hand over the output tar-digest of the render job of this run, and the tar that it uploaded',
    });
  }
  const files = treeFiles(readTar(tar, DEFAULT_TAR_LIMITS));
  const json = files.find((file) => file.path === RESULT_FILE);
  if (json === undefined) {
    throw new UserError({
      code: 'BAD_RESULT',
      what: `the rendered tree holds no ${RESULT_FILE}`,
      fix: 'hand over the output tar of render, as it is',
    });
  }
  const result = parseResult(json.content, `${RESULT_FILE} of the rendered tree`, 'render', build);
  const byPath = new Map(files.map((file) => [file.path, file]));
  return await collect(result, async (component, path) => byPath.get(`${TREE}/${component}/${path}`)?.content);
}

/** Reads what `render` left in this job's work-dir. Throws `RENDERED_CHANGED` for a file that is missing or differs. */
export async function readRenderedTree(dir: WorkDir, build: Build): Promise<RenderedTree> {
  const result = await readResult(dir, 'render', build);
  return collect(result, (component, path) => readFile(join(dir.rendered, component, path)).catch(() => undefined));
}

type ReadFile = (component: string, path: string) => Promise<Uint8Array | undefined>;

async function collect(result: Result, read: ReadFile): Promise<RenderedTree> {
  const files = new Map<string, TreeFile[]>();
  for (const component of result.components.filter(({ status }) => status === 'ok')) {
    files.set(component.name, await componentFiles(component, read));
  }
  return { result, files };
}

/** Exactly the files that the result lists, each with the digest it lists: nothing else of the tree counts. */
async function componentFiles(component: ComponentResult, read: ReadFile): Promise<TreeFile[]> {
  const changed: string[] = [];
  const files: TreeFile[] = [];
  for (const { path, sha256: expected } of component.files ?? []) {
    if (!isRenderedFile(path, component.environments ?? [])) {
      changed.push(`${component.name}/${path}: render writes <environment>/<kind>-<name>.yaml and nothing else`);
      continue;
    }
    const content = await read(component.name, path);
    if (content === undefined || sha256(content) !== expected) {
      changed.push(`${component.name}/${path}: ${content === undefined ? 'is missing' : 'has another content'}`);
    } else {
      files.push({ path, content, executable: false });
    }
  }
  if (changed.length > 0) {
    throw new UserError({
      code: 'RENDERED_CHANGED',
      what: 'the rendered tree is not what render wrote',
      details: changed,
      why: 'something between the steps changed it',
      fix: 'run render again and let nothing else write to the work-dir',
    });
  }
  return files;
}

/**
 * Whoever controls the render job controls the tree. It may not hold what the cluster would obey instead of apply: a `.sourceignore` or
 * a kustomization of its own, or a name that Flux ignores.
 */
function isRenderedFile(path: string, environments: readonly string[]): boolean {
  const [environment = '', file = '', ...deeper] = path.split('/');
  return environments.includes(environment) && deeper.length === 0 && /^[^.].*-.*\.yaml$/.test(file);
}
