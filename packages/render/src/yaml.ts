import { errorMessage, UserError } from '@gitless/core';
import {
  CORE_SCHEMA,
  constructFromEvents,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  mapTag,
  mergeTag,
  parseEvents,
  seqTag,
  YAMLException,
} from 'js-yaml';

/** Application tags (`!Find`) carry no meaning for Kubernetes readers, which ignore them: so does this one. */
const LOCAL_TAGS = [
  defineScalarTag('!', { matchByTagPrefix: true, resolve: (source) => source, identify: () => false }),
  defineSequenceTag('!', {
    matchByTagPrefix: true,
    create: seqTag.create,
    addItem: seqTag.addItem,
    identify: () => false,
  }),
  defineMappingTag('!', {
    matchByTagPrefix: true,
    create: mapTag.create,
    addPair: mapTag.addPair,
    has: mapTag.has,
    keys: mapTag.keys,
    get: mapTag.get,
    identify: () => false,
  }),
];

/** A string, as in Go: `kind: !!binary U2VjcmV0` is a Secret to Flux, so it must be one here. */
const BINARY_TAG = defineScalarTag('tag:yaml.org,2002:binary', {
  resolve: (source) => Buffer.from(source, 'base64').toString('utf8'),
  identify: () => false,
});

const LIMITS = {
  /** Nesting of collections in the text; the deepest well-known CRD schemas stay below 60. */
  maxDepth: 200,
  maxAliases: 10_000,
  /** Keys brought in by `<<` in one document. */
  maxTotalMergeKeys: 10_000,
};
/** Values after every alias is written out ("billion laughs"). */
const MAX_EXPANDED_VALUES = 1_000_000;

const OPTIONS = { schema: CORE_SCHEMA.withTags(mergeTag, BINARY_TAG, LOCAL_TAGS), ...LIMITS };

/** YAML 1.1 readers (Go's among them) end a line, and so a comment, at these; YAML 1.2 readers do not (YAML 1.2.2 §5.4). */
const AMBIGUOUS_BREAK = /[\u0085\u2028\u2029]/;

/**
 * The value of one YAML 1.2 document (core schema with `<<` merges), `undefined` when it is empty. Duplicate keys,
 * cycles and expansion beyond a bound are errors. `firstLine` (from 1) is where `text` begins in `file`.
 * Throws `YAML_INVALID` with file, line and column, never with the text itself, which may hold a secret.
 */
export function parseYaml(file: string, text: string, firstLine = 1): unknown {
  const ambiguous = AMBIGUOUS_BREAK.exec(text);
  if (ambiguous !== null) {
    const before = text.slice(0, ambiguous.index).split(/\r\n|\n|\r/);
    throw invalid(file, firstLine + before.length - 1, (before.at(-1) ?? '').length + 1, {
      reason: 'a raw NEL, LS or PS character, which YAML 1.1 takes as a line break and YAML 1.2 does not',
      fix: 'write it as an escape in a double-quoted string (\\N, \\L, \\P)',
    });
  }
  let documents: unknown[];
  try {
    documents = constructFromEvents(parseEvents(text, LIMITS), { ...OPTIONS, source: text });
  } catch (error) {
    if (error instanceof YAMLException) {
      const { line = 0, column = 0 } = error.mark ?? {};
      throw invalid(file, firstLine + line, column + 1, { reason: error.reason });
    }
    throw invalid(file, firstLine, 1, { reason: errorMessage(error) });
  }
  if (documents.length > 1) {
    throw invalid(file, firstLine, 1, { reason: `one document was expected here, and ${documents.length} were read` });
  }
  if (expandedValues(documents[0], new Map()) > MAX_EXPANDED_VALUES) {
    throw invalid(file, firstLine, 1, {
      reason: `its aliases contain themselves or expand to more than ${MAX_EXPANDED_VALUES} values`,
    });
  }
  return documents[0];
}

/** How many values a reader that copies aliased nodes would build; `Infinity` for a node that contains itself. */
function expandedValues(value: unknown, known: Map<object, number>): number {
  if (value === null || typeof value !== 'object') {
    return 1;
  }
  const before = known.get(value);
  if (before !== undefined) {
    return before;
  }
  known.set(value, Number.POSITIVE_INFINITY);
  let count = 1;
  for (const member of Object.values(value)) {
    count += expandedValues(member, known);
  }
  known.set(value, count);
  return count;
}

function invalid(file: string, line: number, column: number, problem: { reason: string; fix?: string }): UserError {
  return new UserError({
    code: 'YAML_INVALID',
    what: `${file}:${line}:${column} is not usable YAML: ${problem.reason.slice(0, 200)}`,
    fix: problem.fix ?? 'mend the document at that place',
  });
}

/** A mapping, as YAML and JSON objects arrive. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
