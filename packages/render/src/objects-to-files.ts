import { hexOf, sha256, UserError } from '@gitless/core';
import type { KubernetesObject } from './kubernetes-object.ts';

export interface RenderedFile {
  /** POSIX, relative. */
  readonly path: string;
  readonly text: string;
}

/** File systems take 255 bytes a name; the archive and the artifact store must take it too. */
const LONGEST_STEM = 240;

/**
 * One file an object, `[namespace-]kind-name.yaml` in lower case, sorted by path; each ends with exactly one newline.
 * Throws `RENDER_CLASH` naming both objects when two would share a file.
 */
export function objectsToFiles(objects: readonly KubernetesObject[]): RenderedFile[] {
  const owners = new Map<string, KubernetesObject>();
  for (const object of objects) {
    const path = fileName(object);
    const other = owners.get(path);
    if (other !== undefined) {
      throw new UserError({
        code: 'RENDER_CLASH',
        what: `${describe(other)} and ${describe(object)} would both be written to ${path}`,
        why: 'every object has a file of its own, named by namespace, kind and name',
        fix: 'remove one of them if it is the same object twice, else rename one',
      });
    }
    owners.set(path, object);
  }
  return [...owners]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, object]) => ({ path, text: withOneNewline(object.text) }));
}

/** `Kind namespace/name (apiVersion)`, for messages. */
export function describe(object: KubernetesObject): string {
  const namespace = object.namespace === undefined ? '' : `${object.namespace}/`;
  return `${object.kind} ${namespace}${object.name} (${object.apiVersion})`;
}

function fileName(object: KubernetesObject): string {
  const parts = [...(object.namespace === undefined ? [] : [object.namespace]), object.kind, object.name];
  const stem = parts
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, '_')
    .replace(/^\.+/, '_');
  if (stem.length <= LONGEST_STEM) {
    return `${stem}.yaml`;
  }
  return `${stem.slice(0, LONGEST_STEM - 17)}-${hexOf(sha256(parts.join('\n'))).slice(0, 16)}.yaml`;
}

/** Blank lines at the end are dropped, except where a block scalar keeps them (`|+`, YAML 1.2.2 §8.1.1.2): `...` closes those. */
function withOneNewline(text: string): string {
  const trimmed = text.replace(/(?:[ \t]*(?:\r\n|\n|\r))+$/, '');
  const blankLines = text.slice(trimmed.length).match(/\r\n|\n|\r/g)?.length ?? 0;
  if (blankLines > 1 && /[|>][1-9]?\+/.test(text)) {
    return `${text}...\n`;
  }
  return `${trimmed}\n`;
}
