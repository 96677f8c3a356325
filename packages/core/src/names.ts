import { UserError } from './errors.ts';

/** Every URI of our own starts here; a predicate type once signed never changes (design: "The artifact"). */
export const URI_BASE = 'https://gitless.dev/';
/** Every annotation key of our own starts here. */
export const ANNOTATION_PREFIX = 'dev.gitless.';

const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** Component and environment names: 2–63 characters and one path segment, so that they fit a repository path, a directory and a label. */
export function isName(value: string): boolean {
  return value.length >= 2 && value.length <= 63 && NAME.test(value);
}

/** Throws `BAD_NAME` unless `value` is a component or environment name. */
export function requireName(kind: 'component' | 'environment', value: string): string {
  if (!isName(value)) {
    throw new UserError({
      code: 'BAD_NAME',
      what: `${kind} name ${JSON.stringify(value)} cannot be used`,
      why: 'names become a repository path and a directory',
      fix: 'use 2–63 characters: lower-case letters and digits, single ".", "_" or "-" between them',
    });
  }
  return value;
}
