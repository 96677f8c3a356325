import * as v from 'valibot';
import { UserError } from './errors.ts';

/** Where untrusted data came from, for messages: a file's path, a URL without credentials, an environment variable. */
export interface Source {
  readonly code: string;
  readonly where: string;
  readonly fix?: string;
}

/** Parses data from outside into `schema`'s type. Throws `source.code` and names every field at fault: what was seen, what is wanted. */
export function parseWith<const S extends v.GenericSchema>(schema: S, data: unknown, source: Source): v.InferOutput<S> {
  const result = v.safeParse(schema, data);
  if (result.success) {
    return result.output;
  }
  throw new UserError({
    code: source.code,
    what: `${source.where} is not what it should be`,
    details: result.issues.map(describeIssue),
    ...(source.fix === undefined ? {} : { fix: source.fix }),
  });
}

/** As {@link parseWith}, from JSON text. */
export function parseJsonWith<const S extends v.GenericSchema>(
  schema: S,
  text: string | Uint8Array,
  source: Source,
): v.InferOutput<S> {
  let data: unknown;
  try {
    data = JSON.parse(typeof text === 'string' ? text : new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    throw new UserError({
      code: source.code,
      what: `${source.where} is not JSON`,
      cause: error,
      ...(source.fix === undefined ? {} : { fix: source.fix }),
    });
  }
  return parseWith(schema, data, source);
}

/** `field: saw X, wants Y`. Values are cut short: they come from outside. */
export function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? '(top level)';
  if (issue.kind === 'schema' && issue.expected !== null && !issue.message.startsWith('!')) {
    return `${path}: saw ${shorten(issue.received)}, wants ${issue.expected}`;
  }
  return `${path}: ${issue.message.replace(/^!/, '')}`;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
