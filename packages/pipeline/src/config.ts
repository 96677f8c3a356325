import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeIssue, errorMessage, isMissingFile, UserError } from '@gitless/core';
import * as v from 'valibot';
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { type Config, ConfigSchema, NamedComponent, PatternComponent } from './config-schema.ts';
import { nearest } from './nearest.ts';

const DEFAULT_FILE = 'gitless.yaml';
const MAX_BYTES = 1024 * 1024;
const MAX_ALIASES = 20;

/**
 * Reads `gitless.yaml` or the file that the input names. `undefined` when no file was named and the default one does not exist.
 * Throws `BAD_CONFIG` with line and column of every fault.
 */
export async function readConfig(workspace: string, file: string | undefined): Promise<Config | undefined> {
  let text: string;
  try {
    text = await readFile(join(workspace, file ?? DEFAULT_FILE), 'utf8');
  } catch (error) {
    if (file === undefined && isMissingFile(error)) {
      return undefined;
    }
    throw new UserError({
      code: 'BAD_CONFIG',
      what: `${file ?? DEFAULT_FILE} cannot be read`,
      why: errorMessage(error),
      fix: 'correct `config`, a path relative to the checkout, and check the repository out before this step',
    });
  }
  return parseConfig(text, file ?? DEFAULT_FILE);
}

/** As {@link readConfig}, from text; `where` is the name used in messages. */
export function parseConfig(text: string, where: string): Config {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new UserError({
      code: 'BAD_CONFIG',
      what: `${where} is larger than 1 MiB`,
      fix: 'name components by pattern',
    });
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  if (document.errors.length > 0) {
    throw badConfig(
      where,
      document.errors.map((error) => `${position(lineCounter, error.pos[0])}: ${error.message}`),
    );
  }
  const result = v.safeParse(ConfigSchema, toValue(document, where));
  if (result.success) {
    return result.output;
  }
  throw badConfig(
    where,
    result.issues.flatMap(unfoldUnion).map((issue) => {
      const path = issue.path?.map(({ key }) => key) ?? [];
      const offset = (isUnknownKey(issue) ? keyOffset(document, path) : undefined) ?? offsetOf(document, path);
      return `${position(lineCounter, offset)}: ${describeConfigIssue(issue)}`;
    }),
  );
}

/** The document as plain values. Aliases are resolved only here: one without an anchor, or one too many, shows now. */
function toValue(document: Document, where: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw badConfig(where, [errorMessage(error)]);
  }
}

/** A component is named or a pattern: tell the faults of the form that the user meant, not of both. */
function unfoldUnion(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown>[] {
  if (issue.type !== 'union') {
    return [issue];
  }
  const isPattern = issue.input !== null && typeof issue.input === 'object' && 'pattern' in issue.input;
  const { issues = [] } = v.safeParse(isPattern ? PatternComponent : NamedComponent, issue.input);
  const parent = issue.path ?? [];
  return issues.map((inner) => ({ ...inner, path: [...parent, ...(inner.path ?? [])] }) as v.BaseIssue<unknown>);
}

function describeConfigIssue(issue: v.BaseIssue<unknown>): string {
  if (isUnknownKey(issue)) {
    const key = String(issue.path?.at(-1)?.key);
    const suggestion = nearest(
      key,
      knownKeys(issue).filter((known) => known !== key),
    );
    return `unknown key ${JSON.stringify(key)}${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
  }
  return describeIssue(issue);
}

function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === 'strict_object' && issue.expected === 'never';
}

/** Every key that has a place somewhere below the same top-level key, from the schema itself. */
function knownKeys(issue: v.BaseIssue<unknown>): string[] {
  const { entries } = ConfigSchema;
  if ((issue.path?.length ?? 0) <= 1) {
    return Object.keys(entries);
  }
  switch (issue.path?.[0]?.key) {
    case 'channels':
      return Object.keys(entries.channels.wrapped.value.entries);
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
function offsetOf(document: Document, path: readonly unknown[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) {
      return node.range[0];
    }
  }
  return 0;
}

/** Offset of the last key of `path` itself, where its value may stand on another line. */
function keyOffset(document: Document, path: readonly unknown[]): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent)
    ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1))
    : undefined;
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}

function position(lineCounter: LineCounter, offset: number): string {
  const { line, col } = lineCounter.linePos(offset);
  return `line ${line}, column ${col}`;
}

function badConfig(where: string, details: string[]): UserError {
  return new UserError({
    code: 'BAD_CONFIG',
    what: `${where} has ${details.length === 1 ? 'a fault' : `${details.length} faults`}`,
    details,
    fix: 'docs/configuration.md lists every key; editors complete and check them with docs/schemas/gitless-yaml.schema.json',
  });
}
