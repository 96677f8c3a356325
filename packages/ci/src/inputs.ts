import { isDigest, UserError } from '@gitless/core';

/** One input of an action: how its text becomes a value. `parse` gets trimmed, non-empty text and throws an `Error` that says what is allowed. */
export interface InputSpec<T> {
  /** Shown in the README's table. */
  readonly type: string;
  readonly secret: boolean;
  readonly required: boolean;
  /** As written in action.yml; absent for an input that may be left out. */
  readonly default?: string;
  readonly parse: (text: string) => T;
  /** What an input left out becomes. */
  readonly absent: T;
  /** Whether an input that is given but empty is a value of its own; else it counts as left out. */
  readonly emptyIsValue?: boolean;
}

export type InputSpecs = Readonly<Record<string, InputSpec<unknown>>>;
export type InputValues<S extends InputSpecs> = {
  readonly [K in keyof S]: S[K] extends InputSpec<infer T> ? T : never;
};

function optional<T>(type: string, parse: (text: string) => T): InputSpec<T | undefined> {
  return { type, secret: false, required: false, parse, absent: undefined };
}

export function text(): InputSpec<string | undefined> {
  return optional('text', (value) => value);
}

/** Never shown: neither in a message nor in the log. Masked as soon as it is read. */
export function secret(): InputSpec<string | undefined> {
  return { ...text(), secret: true, type: 'secret' };
}

export function digest(): InputSpec<string | undefined> {
  return optional('digest', (value) => {
    if (!isDigest(value)) {
      throw new Error('wants sha256: followed by 64 lower-case hex digits');
    }
    return value;
  });
}

export function url(): InputSpec<string | undefined> {
  return optional('URL', (value) => {
    const parsed = URL.parse(value);
    if (parsed === null || !['https:', 'http:'].includes(parsed.protocol) || parsed.username + parsed.password !== '') {
      throw new Error('wants an https:// URL without user name (http:// for loopback)');
    }
    return value;
  });
}

export function oneOf<const C extends readonly string[]>(choices: C, fallback: C[number]): InputSpec<C[number]> {
  return {
    type: choices.join(' \\| '),
    secret: false,
    required: false,
    default: fallback,
    absent: fallback,
    parse: (value) => {
      const found = choices.find((choice) => choice === value);
      if (found === undefined) {
        throw new Error(`wants one of ${choices.join(', ')}`);
      }
      return found;
    },
  };
}

/** `true` or `false`, as the YAML 1.2 core schema writes them. */
export function bool(fallback: boolean): InputSpec<boolean> {
  return {
    type: 'boolean',
    secret: false,
    required: false,
    default: String(fallback),
    absent: fallback,
    parse: (value) => {
      if (value !== 'true' && value !== 'false') {
        throw new Error('wants true or false');
      }
      return value === 'true';
    },
  };
}

/** One entry a line, or several on a line between commas; `#` starts a comment at the beginning of a line. */
export function list(): InputSpec<readonly string[]> {
  return {
    type: 'list',
    secret: false,
    required: false,
    absent: [],
    parse: (value) =>
      lines(value).flatMap((line) =>
        line
          .split(',')
          .map((entry) => entry.trim())
          .filter(Boolean),
      ),
  };
}

/** One `key=value` a line; a value may hold `=` and commas. */
export function pairs(): InputSpec<ReadonlyMap<string, string>> {
  return {
    type: 'key=value lines',
    secret: false,
    required: false,
    absent: new Map(),
    parse: (value) => {
      const found = new Map<string, string>();
      for (const line of lines(value)) {
        const at = line.indexOf('=');
        const key = line.slice(0, at).trim();
        if (at < 1 || found.has(key)) {
          throw new Error(`wants one key=value a line and no key twice (line ${JSON.stringify(line)})`);
        }
        found.set(key, line.slice(at + 1).trim());
      }
      return found;
    },
  };
}

export function withDefault<T>(spec: InputSpec<T | undefined>, fallback: T & string): InputSpec<T> {
  return { ...spec, default: fallback, absent: fallback, parse: (value) => spec.parse(value) ?? fallback };
}

/** Text that may be given as empty on purpose. */
export function textOrEmpty(fallback: string): InputSpec<string> {
  return { ...withDefault(text(), fallback), parse: (value) => value, emptyIsValue: true };
}

export function required<T>(spec: InputSpec<T | undefined>): InputSpec<T> {
  const parse = (value: string): T => {
    const parsed = spec.parse(value);
    if (parsed === undefined) {
      throw new Error('wants a value');
    }
    return parsed;
  };
  // An absent required input is an error before `absent` could be used.
  return { type: spec.type, secret: spec.secret, required: true, parse, absent: undefined as never };
}

/**
 * Reads all inputs of an action; `INPUT_<NAME>` as the runner sets them (actions/toolkit `core/src/core.ts` getInput: upper case,
 * spaces to `_`). Calls `mask` for secrets before anything else. Throws `BAD_INPUTS` with every fault at once.
 */
export function readInputs<S extends InputSpecs>(
  specs: S,
  env: Readonly<Record<string, string | undefined>>,
  mask: (secret: string) => void,
): InputValues<S> {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, spec] of Object.entries(specs)) {
    const given = env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`]?.trim();
    if (spec.secret && given) {
      mask(given);
    }
    try {
      values[name] = readInput(spec, given);
    } catch (error) {
      faults.push(`${name}: saw ${show(spec, given)}; ${error instanceof Error ? error.message : 'not understood'}`);
    }
  }
  if (faults.length > 0) {
    throw new UserError({
      code: 'BAD_INPUTS',
      what: faults.length === 1 ? 'an input is wrong' : `${faults.length} inputs are wrong`,
      details: faults,
      fix: "correct them under `with:` in the workflow; the action's README lists every input",
    });
  }
  return values as InputValues<S>;
}

function readInput<T>(spec: InputSpec<T>, given: string | undefined): T {
  if (given) {
    return spec.parse(given);
  }
  if (spec.required) {
    throw new Error(`it is required (${spec.type})`);
  }
  return spec.emptyIsValue && given !== undefined ? spec.parse('') : spec.absent;
}

function show(spec: InputSpec<unknown>, given: string | undefined): string {
  if (!given) {
    return 'nothing';
  }
  if (spec.secret) {
    return 'a secret';
  }
  const safe = given.replace(/\/\/.*@/g, '//…@');
  return JSON.stringify(safe.length > 80 ? `${safe.slice(0, 80)}…` : safe);
}

function lines(value: string): string[] {
  return value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
