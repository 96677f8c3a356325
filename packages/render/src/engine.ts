import { join } from 'node:path';
import { UserError } from '@gitless/core';
import { directoriesOf } from './environment-pattern.ts';
import { KUSTOMIZATION_NAMES } from './kustomization-walk.ts';
import { isFile, subdirectories } from './paths.ts';

export type Engine = 'helm' | 'kustomize' | 'plain';

/**
 * The engine that a component's `directory` (it may hold `{environment}`) asks for: `Chart.yaml` → helm, a
 * kustomization there or in its environments' folders → kustomize, else plain.
 * Throws `ENGINE_AMBIGUOUS` when one folder is both.
 */
export async function detectEngine(directory: string): Promise<Engine> {
  const roots = (await directoriesOf(directory)).map((one) => one.directory);
  const isChart = await some(roots, (root) => isFile(join(root, 'Chart.yaml')));
  const isKustomization = await some(roots, holdsKustomization);
  if (isChart && isKustomization) {
    throw new UserError({
      code: 'ENGINE_AMBIGUOUS',
      what: `${directory} holds a Chart.yaml and a kustomization`,
      why: 'either could be what is meant',
      fix: 'set engine to helm, kustomize or plain',
    });
  }
  if (isChart) {
    return 'helm';
  }
  return isKustomization || (await some(roots, hasKustomizedFolder)) ? 'kustomize' : 'plain';
}

/** Whether kustomize would build `directory`. */
export function holdsKustomization(directory: string): Promise<boolean> {
  return some(KUSTOMIZATION_NAMES, (name) => isFile(join(directory, name)));
}

async function hasKustomizedFolder(directory: string): Promise<boolean> {
  for (const parent of [directory, join(directory, 'overlays')]) {
    const folders = (await subdirectories(parent)).map((name) => join(parent, name));
    if (await some(folders, holdsKustomization)) {
      return true;
    }
  }
  return false;
}

async function some<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(items.map(test))).includes(true);
}
