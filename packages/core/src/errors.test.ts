import { describe, expect, it } from 'vitest';
import { errorMessage, formatError, UserError } from './errors.ts';

describe('formatError', () => {
  it('says what happened with its code, the details, why, what caused it and what to do, one a line', () => {
    const error = new UserError({
      code: 'BAD_THING',
      what: 'two things are bad',
      why: 'they were left outside',
      fix: 'take them in',
      details: ['the first', 'the second'],
      cause: new Error('rain', { cause: new Error('a cloud') }),
    });
    expect(formatError(error).split('\n')).toEqual([
      'two things are bad [BAD_THING]',
      '  - the first',
      '  - the second',
      'Why: they were left outside',
      'Cause: rain: a cloud',
      'Fix: take them in',
      'More: docs/errors.md#bad_thing',
    ]);
  });

  it('leaves out what is not there', () => {
    expect(formatError(new UserError({ code: 'A', what: 'b' }))).toBe('b [A]\nMore: docs/errors.md#a');
  });

  it('leads to the page at the address that it is given', () => {
    const text = formatError(new UserError({ code: 'A_B', what: 'b' }), 'https://git.example/acme/gitless/docs');
    expect(text).toBe('b [A_B]\nMore: https://git.example/acme/gitless/docs/errors.md#a_b');
  });

  it('never shows a stack, and calls what is not a user’s fault a defect of ours', () => {
    const text = formatError(new TypeError('x is not a function', { cause: 'y' }));
    expect(text).toContain('[INTERNAL]: x is not a function: y\n');
    expect(text).toContain('defect');
    expect(text).not.toMatch(/^\s+at /m);
  });
});

describe('errorMessage', () => {
  it.each([
    ['text', 'text'],
    [undefined, 'undefined'],
    [{ toString: (): string => 'an object' }, 'an object'],
    [new Error('a', { cause: new UserError({ code: 'C', what: 'b' }) }), 'a: b [C]'],
  ])('tells of anything that can be thrown: %j', (thrown, message) => {
    expect(errorMessage(thrown)).toBe(message);
  });
});
