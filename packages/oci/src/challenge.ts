import { UserError } from '@gitless/core';

/** One challenge of a WWW-Authenticate header. */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case; the first of equal names counts. */
  readonly params: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const EQUALS = /[ \t]*=[ \t]*/y;
const SPACE = /[ \t]+/y;
const SEPARATORS = /[ \t,]*/y;
const LIST_END = /[ \t]*(?=,|$)/y;

/**
 * Parses a WWW-Authenticate header, or several joined by commas (RFC 9110 §11.6.1, formerly RFC 7235 §4.1): commas in
 * quoted strings, several challenges, any case of scheme and parameter names. Throws `BAD_CHALLENGE`.
 */
export function parseChallenges(header: string): Challenge[] {
  const scanner = createScanner(header);
  const challenges: Challenge[] = [];
  scanner.take(SEPARATORS);
  while (!scanner.atEnd()) {
    const scheme = scanner.take(TOKEN)?.[0] ?? scanner.fail();
    const params = new Map<string, string>();
    if (scanner.take(SPACE) !== undefined && scanner.take(TOKEN68) === undefined) {
      readParams(scanner, params);
    }
    if (scanner.take(LIST_END) === undefined) {
      scanner.fail();
    }
    challenges.push({ scheme: scheme.toLowerCase(), params });
    scanner.take(SEPARATORS);
  }
  return challenges;
}

/** Reads `name=value` pairs up to the next challenge's scheme, which is a token without `=` behind it. */
function readParams(scanner: Scanner, params: Map<string, string>): void {
  for (;;) {
    const start = scanner.position();
    scanner.take(SEPARATORS);
    const name = scanner.take(TOKEN)?.[0];
    if (name === undefined || scanner.take(EQUALS) === undefined) {
      scanner.moveTo(start);
      return;
    }
    const quoted = scanner.take(QUOTED)?.[1];
    const value = quoted?.replace(/\\(.)/g, '$1') ?? scanner.take(TOKEN)?.[0] ?? scanner.fail();
    if (!params.has(name.toLowerCase())) {
      params.set(name.toLowerCase(), value);
    }
  }
}

interface Scanner {
  /** Consumes what the sticky `pattern` matches here. */
  take(pattern: RegExp): RegExpExecArray | undefined;
  position(): number;
  moveTo(position: number): void;
  atEnd(): boolean;
  fail(): never;
}

function createScanner(text: string): Scanner {
  let position = 0;
  return {
    take(pattern) {
      pattern.lastIndex = position;
      const match = pattern.exec(text);
      if (match === null) {
        return undefined;
      }
      position = pattern.lastIndex;
      return match;
    },
    position: () => position,
    moveTo(to) {
      position = to;
    },
    atEnd: () => position >= text.length,
    fail() {
      throw new UserError({
        code: 'BAD_CHALLENGE',
        what: `the registry's WWW-Authenticate header cannot be read at character ${position + 1}`,
        why: 'without it there is no way to know how the registry wants to be authenticated to',
        fix: 'check that the host is an OCI registry, and that no proxy answers in its place',
      });
    },
  };
}
