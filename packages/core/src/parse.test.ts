import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { UserError } from './errors.ts';
import { parseJsonWith, parseWith } from './parse.ts';

const Schema = v.strictObject({
  name: v.string(),
  components: v.array(v.object({ port: v.number() })),
  mode: v.optional(v.picklist(['fast', 'slow'])),
  digest: v.optional(v.pipe(v.string(), v.regex(/^x$/, '!wants an x'))),
  size: v.optional(v.pipe(v.number(), v.maxValue(3))),
});
const source = { code: 'BAD_FILE', where: 'gitless.yaml', fix: 'correct it' };

function problemOf(parse: () => unknown) {
  try {
    parse();
  } catch (error) {
    if (error instanceof UserError) {
      return error.problem;
    }
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseWith', () => {
  it('gives what the schema makes of it', () => {
    const data = { name: 'web', components: [{ port: 1, other: 2 }] };
    expect(parseWith(Schema, data, source)).toEqual({ name: 'web', components: [{ port: 1 }] });
  });

  it('names every field at fault, what was seen and what is wanted', () => {
    const data = { name: 7, components: [{ port: 1 }, { port: 'http' }, {}], mode: 'medium', extra: true };
    expect(problemOf(() => parseWith(Schema, data, source))).toMatchObject({
      code: 'BAD_FILE',
      what: 'gitless.yaml is not what it should be',
      fix: 'correct it',
      details: [
        'name: saw 7, wants string',
        'components.1.port: saw "http", wants number',
        'components.2.port: is missing',
        'mode: saw "medium", wants ("fast" | "slow")',
        'extra: is not known here',
      ],
    });
  });

  it('takes the words of a rule that has its own, and of a limit', () => {
    const data = { name: 'a', components: [], digest: 'y', size: 4 };
    expect(problemOf(() => parseWith(Schema, data, source)).details).toEqual([
      'digest: wants an x',
      'size: Invalid value: Expected <=3 but received 4',
    ]);
  });

  it('speaks of the top level when that is wrong', () => {
    expect(problemOf(() => parseWith(Schema, null, source)).details).toEqual(['(top level): saw null, wants Object']);
  });

  it('keeps each detail short and on one line, whatever is in the data', () => {
    const Strict = v.strictObject({ name: v.number(), tag: v.pipe(v.string(), v.regex(/^x$/)) });
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), fc.string({ maxLength: 400 }), (text, more) => {
        const hostile = `${text}\n::error::${more}`;
        const data = { name: hostile, tag: `${hostile}\r`, [`key\u2028${hostile}`]: hostile };
        const { details = [] } = problemOf(() => parseWith(Strict, data, source));
        expect(details).toHaveLength(3);
        for (const detail of details) {
          expect(detail).toMatch(/^[^\n\r\u2028\u2029]{1,500}$/);
        }
        expect(details[0]).toMatch(/^name: saw .{1,81}, wants number$/);
      }),
    );
  });
});

describe('parseJsonWith', () => {
  it('reads text and UTF-8 bytes', () => {
    expect(parseJsonWith(v.string(), '"ä"', source)).toBe('ä');
    expect(parseJsonWith(v.string(), Buffer.from('"ä"'), source)).toBe('ä');
  });

  it.each([
    ['', 'Unexpected end of JSON input'],
    ['{"a":1,}', 'Expected double-quoted property name in JSON at position 7 (line 1 column 8)'],
    [Buffer.from([0x22, 0xff, 0x22]), 'The encoded data was not valid for encoding utf-8'],
  ])('says why %j is not JSON', (text, why) => {
    expect(problemOf(() => parseJsonWith(v.string(), text, source))).toEqual({
      code: 'BAD_FILE',
      what: 'gitless.yaml is not JSON',
      why,
      fix: 'correct it',
    });
  });

  it('repeats nothing of a text that is not JSON: it can be a token', () => {
    for (const secret of [
      'hunter2',
      'ghs_0123456789abcdefghijklmnopqrstuvwxyz',
      '"quoted" x',
      '[1,2,3] "\n" hunter2',
    ]) {
      const text = JSON.stringify(problemOf(() => parseJsonWith(v.string(), secret, source)));
      expect(text).not.toMatch(/hunter2|ghs_|quoted/);
    }
  });
});
