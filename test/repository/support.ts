import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { schemas } from '../../scripts/generate-docs.ts';
import { ROOT } from '../../scripts/repository.ts';

/** Text of a file of this repository. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Files of this repository that match a glob, sorted; nothing that was installed or built. */
export function files(pattern: string): string[] {
  const exclude = (path: string) => /(^|\/)(node_modules|dist|\.git)$/.test(path);
  return globSync(pattern, { cwd: ROOT, exclude }).sort();
}

/** Judges by one of the published JSON schemas, as a reader without our code would. */
export function validator(schema: string): ValidateFunction {
  const ajv = new Ajv({ allErrors: true, formats: { 'date-time': true } });
  return ajv.compile(JSON.parse(schemas().get(schema) ?? ''));
}
