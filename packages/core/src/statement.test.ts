import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { hexOf, sha256 } from './digest.ts';
import { PREDICATE } from './predicate-types.ts';
import { STATEMENT_TYPE, StatementSchema, statementAbout } from './statement.ts';

const statement = statementAbout(sha256('artifact'), PREDICATE.signature, { any: [1] });

describe('Statement', () => {
  it('is about one manifest, by digest alone', () => {
    expect(statement).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: hexOf(sha256('artifact')) } }],
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
      predicate: { any: [1] },
    });
    expect(v.parse(StatementSchema, statement)).toEqual(statement);
  });

  it('may be of version 0.1, which cosign attest writes', () => {
    const old = { ...statement, _type: 'https://in-toto.io/Statement/v0.1' };
    expect(v.parse(StatementSchema, old)).toEqual(old);
  });

  it('names its subject where there is a name', () => {
    const { subject } = statementAbout(sha256('artifact'), PREDICATE.signature, {}, 'web');
    expect(subject).toEqual([{ name: 'web', digest: { sha256: hexOf(sha256('artifact')) } }]);
  });

  it('may have more subjects, names and other algorithms beside SHA-256', () => {
    const digest = { sha256: 'b'.repeat(64) };
    const subject = [{ name: 'x', digest: { ...digest, sha512: 'c' } }, ...statement.subject];
    expect(v.parse(StatementSchema, { ...statement, subject }).subject).toEqual([
      { name: 'x', digest },
      ...statement.subject,
    ]);
  });

  it.each([
    ['another type', { ...statement, _type: 'https://in-toto.io/Statement/v2' }],
    ['no subject', { ...statement, subject: [] }],
    ['a subject without SHA-256', { ...statement, subject: [{ digest: { sha512: 'a' } }] }],
    ['upper-case digits', { ...statement, subject: [{ digest: { sha256: 'A'.repeat(64) } }] }],
    ['a digest with its algorithm', { ...statement, subject: [{ digest: { sha256: sha256('') } }] }],
    ['no predicate type', { ...statement, predicateType: undefined }],
    ['a predicate that is no object', { ...statement, predicate: 'x' }],
    ['only the type', { _type: STATEMENT_TYPE }],
  ])('refuses %s', (_name, data) => {
    expect(v.is(StatementSchema, data)).toBe(false);
  });
});
