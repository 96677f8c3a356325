import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { applySourceIgnore, readTree, type TreeFile } from '@gitless/artifact';
import { type Action, dirtyFiles, listFiles, requireClean, requireCommit } from '@gitless/ci';
import { errorMessage, UserError } from '@gitless/core';
import {
  type Component,
  type RenderedTree,
  readRenderedTree,
  unpackRenderedTree,
  type WorkDir,
} from '@gitless/pipeline';
import { requireDirectory } from '@gitless/render';
import type { Inputs } from './inputs.ts';

/** One component before it is packed, from whichever source. */
export interface Source {
  readonly name: string;
  readonly files: readonly TreeFile[];
  readonly rendered: boolean;
  readonly environments: readonly string[];
  readonly path?: string;
  readonly engine?: string;
  readonly dirty: readonly string[];
}

/** The tar of another job, else what render left in this job; undefined when directories are to be packed as they are. */
export async function renderedTree(action: Action, dir: WorkDir, inputs: Inputs): Promise<RenderedTree | undefined> {
  if (inputs.rendered === undefined && inputs['rendered-digest'] !== undefined) {
    throw new UserError({
      code: 'BAD_INPUTS',
      what: 'rendered-digest is given without rendered',
      why: 'there is no file to compare it with, and what render left in this job would be packed unseen',
      fix: 'pass the path of the tar as rendered, or leave rendered-digest out',
    });
  }
  if (inputs.rendered !== undefined) {
    if (inputs['rendered-digest'] === undefined) {
      throw new UserError({
        code: 'BAD_INPUTS',
        what: 'rendered is given without rendered-digest',
        why: 'the tar comes through an artifact store; its digest through the job outputs proves that it is the one that was rendered',
        fix: 'pass the output tar-digest of the render job as rendered-digest',
      });
    }
    const tar = await readFile(resolve(action.workspace, inputs.rendered)).catch((error: unknown) => {
      throw new UserError({
        code: 'FILE_UNREADABLE',
        what: `${inputs.rendered} cannot be read`,
        why: errorMessage(error),
        fix: 'check the path, relative to the checkout, and that a step before this one fetched the tar',
      });
    });
    return unpackRenderedTree(tar, inputs['rendered-digest'], action.build);
  }
  return inputs.path !== undefined || inputs.unrendered ? undefined : readRenderedTree(dir, action.build);
}

export function treeSource(
  { result, files }: RenderedTree,
  name: string,
  own: readonly Component[] | undefined,
): Source {
  const component = result.components.find((candidate) => candidate.name === name);
  const path = own?.find((one) => one.name === name)?.path ?? component?.path;
  return {
    name,
    files: files.get(name) ?? [],
    rendered: true,
    environments: component?.environments ?? [],
    dirty: result.dirty ?? [],
    ...(path === undefined ? {} : { path }),
    ...(component?.engine === undefined ? {} : { engine: component.engine }),
  };
}

/** A directory as it is: what git tracks or would add, less what `.sourceignore` and Flux's defaults leave out. */
export async function directorySource(
  action: Action,
  component: { readonly name: string; readonly path?: string },
  inputs: Inputs,
): Promise<Source> {
  const { context, workspace } = action;
  const path = component.path ?? '.';
  const directory = await requireDirectory(workspace, path);
  await requireCommit(context, action.build, directory);
  const dirty = requireClean(await dirtyFiles(context, workspace, directory, 'below'), inputs['allow-dirty']);
  const tracked = new Set(await listFiles(context, directory));
  const files = await readTree(directory, (file) => tracked.has(file));
  return {
    name: component.name,
    files: applySourceIgnore(files).files,
    rendered: false,
    environments: [],
    path,
    dirty,
  };
}
