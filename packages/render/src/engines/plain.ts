import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { UserError } from '@gitless/core';
import { isFile, requireInside } from '../paths.ts';

export interface PlainRequest {
  /** Absolute. */
  readonly directory: string;
  readonly workspace: string;
}

/**
 * Every `*.yaml` and `*.yml` below a folder as it is, sorted by path; hidden files and folders are not manifests.
 * Throws `PATH_ESCAPES` for a link that leaves the workspace, `MANIFEST_UNREADABLE`.
 */
export async function readPlain(request: PlainRequest): Promise<{ path: string; text: string }[]> {
  const paths = (await readdir(request.directory, { recursive: true }))
    .filter((path) => /\.ya?ml$/.test(path) && !path.split(sep).some((segment) => segment.startsWith('.')))
    .sort();
  const files: { path: string; text: string }[] = [];
  for (const path of paths) {
    const file = join(request.directory, path);
    const name = relative(request.workspace, file);
    const real = await requireInside(request.workspace, file, () => unreadable(name, 'it is a link to nothing'));
    if (await isFile(real)) {
      files.push({ path: name, text: decode(name, await readFile(real)) });
    }
  }
  return files;
}

function decode(name: string, content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw unreadable(name, 'it is not UTF-8');
  }
}

function unreadable(name: string, why: string): UserError {
  return new UserError({ code: 'MANIFEST_UNREADABLE', what: `${name} cannot be read`, why, fix: 'mend or remove it' });
}
