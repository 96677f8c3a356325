import { UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import {
  bool,
  digest,
  type InputSpecs,
  list,
  oneOf,
  pairs,
  readInputs,
  required,
  secret,
  text,
  textOrEmpty,
  url,
  withDefault,
} from './inputs.ts';

/** Reads inputs that are given by the names of action.yml, as the runner hands them over. */
function read<S extends InputSpecs>(
  specs: S,
  given: Record<string, string>,
  mask: (secret: string) => void = () => {},
) {
  const env = Object.entries(given).map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value]);
  return readInputs(specs, Object.fromEntries(env), mask);
}

function faults(specs: InputSpecs, given: Record<string, string>): readonly string[] {
  try {
    read(specs, given);
  } catch (error) {
    if (error instanceof UserError && error.code === 'BAD_INPUTS') {
      return error.problem.details ?? [];
    }
    throw error;
  }
  return [];
}

const DIGEST = `sha256:${'0'.repeat(64)}`;

describe('readInputs', () => {
  it.each([
    ['text', text(), ' two words \n', 'two words'],
    ['secret', secret(), 'hunter2', 'hunter2'],
    ['digest', digest(), DIGEST, DIGEST],
    ['url', url(), 'https://sigstore.example/path', 'https://sigstore.example/path'],
    ['url, loopback', url(), 'http://127.0.0.1:80', 'http://127.0.0.1:80'],
    ['oneOf', oneOf(['helm', 'plain'], 'plain'), 'helm', 'helm'],
    ['bool, true', bool(false), 'true', true],
    ['bool, false', bool(true), 'false', false],
    ['list', list(), 'a, b\n# comment, not entries\n\n  c#d ,,', ['a', 'b', 'c#d']],
    [
      'pairs',
      pairs(),
      'a=1\n# x=y\n b = c=d, e \nf=',
      new Map([
        ['a', '1'],
        ['b', 'c=d, e'],
        ['f', ''],
      ]),
    ],
    ['withDefault', withDefault(text(), 'x'), 'y', 'y'],
    ['textOrEmpty', textOrEmpty('x'), 'y', 'y'],
    ['required', required(text()), 'y', 'y'],
    ['required digest', required(digest()), DIGEST, DIGEST],
  ])('reads %s', (_kind, spec, given, expected) => {
    expect(read({ 'some-input': spec }, { 'some-input': given })).toEqual({ 'some-input': expected });
  });

  it.each([
    ['text', text(), undefined],
    ['secret', secret(), undefined],
    ['digest', digest(), undefined],
    ['url', url(), undefined],
    ['oneOf', oneOf(['helm', 'plain'], 'plain'), 'plain'],
    ['bool', bool(true), true],
    ['list', list(), []],
    ['pairs', pairs(), new Map()],
    ['withDefault', withDefault(text(), 'x'), 'x'],
  ])('takes an absent and an empty %s for the same: left out', (_kind, spec, expected) => {
    for (const given of [{}, { x: '' }, { x: ' \n' }]) {
      expect(read({ x: spec }, given)).toEqual({ x: expected });
    }
  });

  it('tells an input that is empty on purpose from one that is absent', () => {
    expect(read({ x: textOrEmpty('web') }, { x: '' })).toEqual({ x: '' });
    expect(read({ x: textOrEmpty('web') }, {})).toEqual({ x: 'web' });
  });

  it('finds an input whose name has a space where the runner puts it', () => {
    expect(readInputs({ 'my input': text() }, { INPUT_MY_INPUT: 'x' }, () => {})).toEqual({ 'my input': 'x' });
  });

  it.each([
    ['digest', digest(), 'sha256:abc', 'x: saw "sha256:abc"; wants sha256: followed by 64 lower-case hex digits'],
    ['url', url(), 'ftp://a', 'x: saw "ftp://a"; wants an https:// URL without user name (http:// for loopback)'],
    ['url', url(), 'sigstore.example', /^x: saw "sigstore\.example"; wants an https/],
    ['oneOf', oneOf(['helm', 'plain'], 'plain'), 'Helm', 'x: saw "Helm"; wants one of helm, plain'],
    ['bool', bool(true), 'yes', 'x: saw "yes"; wants true or false'],
    ['bool', bool(true), 'TRUE', 'x: saw "TRUE"; wants true or false'],
    ['pairs', pairs(), 'a', 'x: saw "a"; wants one key=value a line and no key twice (line "a")'],
    ['pairs', pairs(), '=a', /no key twice/],
    ['pairs', pairs(), 'a=1\na=2', /line "a=2"/],
    ['required', required(text()), '', 'x: saw nothing; it is required (text)'],
    ['required digest', required(digest()), ' ', 'x: saw nothing; it is required (digest)'],
    ['required choice', required(oneOf(['a'], 'a')), 'b', 'x: saw "b"; wants one of a'],
  ])('refuses a wrong %s and says what it saw and wants', (_kind, spec, given, fault) => {
    expect(faults({ x: spec }, { x: given })).toEqual([
      typeof fault === 'string' ? fault : expect.stringMatching(fault),
    ]);
  });

  it('tells of every fault at once', () => {
    const specs = { a: bool(true), b: digest(), c: text(), d: required(text()), e: pairs() };
    const given = { a: 'on', b: 'latest', c: 'right', e: 'none' };
    expect(faults(specs, given).map((fault) => fault.split(':')[0])).toEqual(['a', 'b', 'd', 'e']);
    expect(() => read(specs, given)).toThrow('4 inputs are wrong [BAD_INPUTS]');
    expect(() => read({ a: bool(true) }, given)).toThrow('an input is wrong [BAD_INPUTS]');
  });

  it('cuts a long value short', () => {
    expect(faults({ x: bool(true) }, { x: 'y'.repeat(1000) })).toEqual([
      `x: saw "${'y'.repeat(80)}…"; wants true or false`,
    ]);
  });

  it('masks every secret, also where another input is wrong, and before anything is told', () => {
    const masked: string[] = [];
    const specs = { wrong: bool(true), password: secret(), token: required(secret()), none: secret() };
    const given = { wrong: 'x', password: ' hunter2\n', token: 'hunter3', none: '' };
    expect(() => read(specs, given, (value) => masked.push(value))).toThrow('[BAD_INPUTS]');
    expect(masked).toEqual(['hunter2', 'hunter3']);
  });

  it('never shows a secret, even one that is wrong', () => {
    const picky = {
      ...secret(),
      parse: () => {
        throw new Error('wants a better one');
      },
    };
    expect(faults({ x: picky }, { x: 'hunter2' })).toEqual(['x: saw a secret; wants a better one']);
  });

  it.each([
    'https://user:hunter2@sigstore.example',
    'https://:hunter2@sigstore.example',
    'https://user:hunter2/@sigstore.example',
    'ftp://hunter2@a/b',
  ])('shows no password that stands in an address: %s', (given) => {
    const [fault, ...more] = faults({ x: url() }, { x: given });
    expect(fault).toMatch(/^x: saw "(https|ftp):\/\/…@/);
    expect(fault).not.toContain('hunter2');
    expect(more).toEqual([]);
  });
});
