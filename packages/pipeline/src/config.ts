import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeIssue, UserError } from '@gitless/core';
import * as v from 'valibot';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { type Config, ConfigSchema, NamedComponent, PatternComponent } from './config-schema.ts';
import { nearest } from './nearest.ts';

const DEFAULT_FILE = 'gitless.yaml';
const MAX_BYTES = 1024 * 1024;

/**
 * Reads `gitless.yaml` or the file that the input names. `undefined` when no file was named and the default one does not exist.
 * Throws `BAD_CONFIG` with line and column of every fault.
 */
export async function readConfig(workspace: string, file: string | undefined): Promise<Config | undefined> {
  let text: string;
  try {
    text = await readFile(join(workspace, file ?? DEFAULT_FILE), 'utf8');
  } catch (error) {
    if (file === undefined && error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw new UserError({ code: 'BAD_CONFIG', what: `${file ?? DEFAULT_FILE} cannot be read`, cause: error });
  }
  return parseConfig(text, file ?? DEFAULT_FILE);
}

/** As {@link readConfig}, from text; `where` is the name used in messages. */
export function parseConfig(text: string, where: string): Config {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new UserError({ code: 'BAD_CONFIG', what: `${where} is larger than 1 MiB` });
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  if (document.errors.length > 0) {
    throw badConfig(
      where,
      document.errors.map((error) => `${position(lineCounter, error.pos[0])}: ${error.message}`),
    );
  }
  const result = v.safeParse(ConfigSchema, document.toJS({ maxAliasCount: 20 }));
  if (result.success) {
    return result.output;
  }
  throw badConfig(
    where,
    result.issues.flatMap(unfoldUnion).map((issue) => {
      const path = v.getDotPath(issue)?.split('.').map(toKey) ?? [];
      return `${position(lineCounter, offsetOf(document, path))}: ${describeConfigIssue(issue)}`;
    }),
  );
}

/** A component is named or a pattern: tell the faults of the form that the user meant. */
function unfoldUnion(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown>[] {
  if (issue.type !== 'union' || issue.issues === undefined) {
    return [issue];
  }
  const parent = issue.path ?? [];
  const faults = issue.issues.map(
    (inner) => ({ ...inner, path: [...parent, ...(inner.path ?? [])] }) as v.BaseIssue<unknown>,
  );
  const isPattern = issue.input !== null && typeof issue.input === 'object' && 'pattern' in issue.input;
  const other = isPattern ? ['name', 'path'] : ['pattern', 'ignore'];
  return faults.filter((fault) => !other.includes(String(fault.path?.at(-1)?.key)));
}

function describeConfigIssue(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const key = String(issue.path?.at(-1)?.key);
    const suggestion = nearest(key, knownKeys(issue));
    return `unknown key ${JSON.stringify(key)}${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
  }
  return describeIssue(issue);
}

/** Every key that has a place somewhere below the same top-level key, from the schema itself. */
function knownKeys(issue: v.BaseIssue<unknown>): string[] {
  const { entries } = ConfigSchema;
  if ((issue.path?.length ?? 0) <= 1) {
    return Object.keys(entries);
  }
  switch (issue.path?.[0]?.key) {
    case 'components':
      return Object.keys({ ...NamedComponent.entries, ...PatternComponent.entries });
    case 'identity':
      return Object.keys(entries.identity.wrapped.entries);
    case 'trust':
      return Object.keys(entries.trust.wrapped.entries);
    case 'tools':
      return Object.keys(entries.tools.wrapped.entries);
    default:
      return [];
  }
}

type Document = ReturnType<typeof parseDocument>;

/** Offset of the node at `path`, or of the nearest node above it that exists. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) {
      return node.range[0];
    }
  }
  return 0;
}

function toKey(segment: string): string | number {
  return /^\d+$/.test(segment) ? Number(segment) : segment;
}

function position(lineCounter: LineCounter, offset: number): string {
  const { line, col } = lineCounter.linePos(offset);
  return `line ${line}, column ${col}`;
}

function badConfig(where: string, details: string[]): UserError {
  return new UserError({
    code: 'BAD_CONFIG',
    what: `${where} has ${details.length} fault(s)`,
    details,
    fix: 'docs/configuration.md lists every key; editors complete and check them with docs/schemas/gitless-yaml.schema.json',
  });
}
