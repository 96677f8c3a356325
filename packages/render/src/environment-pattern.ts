import { dirname, join } from 'node:path';
import { isDirectory, subdirectories } from './paths.ts';

export const PLACEHOLDER = '{environment}';

export interface NamedDirectory {
  readonly name: string;
  readonly directory: string;
}

export function substituteEnvironment(pattern: string, environment: string): string {
  return pattern.replaceAll(PLACEHOLDER, environment);
}

/**
 * The folders that `pattern` stands for: without `{environment}` itself, under the name `''`; else each existing
 * folder, named by what stands in the first placeholder, sorted.
 */
export async function directoriesOf(pattern: string): Promise<NamedDirectory[]> {
  const at = pattern.indexOf(PLACEHOLDER);
  if (at < 0) {
    return [{ name: '', directory: pattern }];
  }
  const parent = dirname(pattern.slice(0, at + 1));
  const [segment = ''] = pattern.slice(parent === '/' ? 1 : parent.length + 1).split('/');
  const [prefix = '', suffix = ''] = segment.split(PLACEHOLDER);
  const found: NamedDirectory[] = [];
  for (const entry of await subdirectories(parent)) {
    const name = entry.slice(prefix.length, suffix === '' ? undefined : -suffix.length);
    const directory = substituteEnvironment(pattern, name);
    if (name !== '' && join(parent, entry) === join(parent, substituteEnvironment(segment, name))) {
      if (await isDirectory(directory)) {
        found.push({ name, directory });
      }
    }
  }
  return found;
}
