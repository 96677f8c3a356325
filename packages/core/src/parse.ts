import * as v from 'valibot';
import { errorMessage, UserError } from './errors.ts';

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
      why: withoutExcerpt(errorMessage(error)),
      ...(source.fix === undefined ? {} : { fix: source.fix }),
    });
  }
  return parseWith(schema, data, source);
}

/** `field: saw X, wants Y` on one line. Values are cut short: they come from outside. */
export function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = shorten(v.getDotPath(issue) ?? '(top level)', 200);
  if (issue.type.endsWith('object') && issue.received === 'undefined') {
    return `${path}: is missing`;
  }
  if (issue.expected === 'never') {
    return `${path}: is not known here`;
  }
  if (issue.kind === 'schema' && issue.expected !== null && !issue.message.startsWith('!')) {
    return `${path}: saw ${shorten(issue.received, 80)}, wants ${issue.expected}`;
  }
  return `${path}: ${shorten(issue.message.replace(/^!/, ''), 300)}`;
}

/** V8 quotes some characters around the fault: they can be the beginning of a token. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (?:\.\.\.)?"[\s\S]*"(?:\.\.\.)? is not valid JSON$/, '');
}

function shorten(text: string, length: number): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > length ? `${line.slice(0, length)}…` : line;
}
