import { PREDICATE, sha256, statementAbout, UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { type BundleOptions, createInstance, ISSUER } from './test-instance.ts';
import { SUBJECT } from './test-support.ts';
import { parseTrustedRoot } from './trusted-root.ts';
import { verifyBundle } from './verify.ts';

const instance = createInstance();
const root = parseTrustedRoot(Buffer.from(JSON.stringify(instance.trustedRoot)), 'trusted_root.json');
const digest = sha256('an artifact');
const statement = statementAbout(digest, PREDICATE.signature, {});

function verify(options: BundleOptions = {}, subject = SUBJECT) {
  return verifyBundle(root, instance.bundle(statement, options), { digest, issuer: ISSUER, subject });
}

function refusal(options: BundleOptions, subject = SUBJECT) {
  try {
    verify(options, subject);
  } catch (error) {
    if (error instanceof UserError) {
      return error.problem;
    }
    throw error;
  }
  throw new Error('it verified');
}

describe('verifyBundle with a Rekor v1 entry (dsse 0.0.1)', () => {
  it('takes it with the log’s own time and index', () => {
    const integratedTime = Math.floor(Date.now() / 1000) - 7;
    const { signedAt, logIndex, statement: seen, certificate } = verify({ integratedTime });
    expect(signedAt).toEqual(new Date(integratedTime * 1000));
    expect(logIndex).toBe('4711');
    expect(seen).toEqual(statement);
    expect(certificate).toEqual({ subject: SUBJECT, issuer: ISSUER });
  });

  it('refuses it without the signed promise: nothing proves the time then', () => {
    expect(refusal({ withPromise: false })).toMatchObject({ code: 'BUNDLE_INVALID' });
  });

  it('refuses it when the certificate was not valid at the time', () => {
    expect(refusal({ integratedTime: Math.floor(Date.now() / 1000) + 3600 })).toMatchObject({ code: 'BUNDLE_INVALID' });
  });

  it('refuses an entry of another certificate, of a key, and of nothing', () => {
    const other = instance.bundle(statement).toString();
    const certificate = /"rawBytes":"([^"]+)"/.exec(other)?.[1];
    const pem = `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`;
    expect(refusal({ verifier: pem }).why).toContain('another certificate');
    expect(refusal({ verifier: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n' }).what).toContain(
      'a key',
    );
    expect(refusal({ verifier: '' })).toMatchObject({ code: 'BUNDLE_INVALID' });
  });
});

describe('verifyBundle with a certificate that no workflow should have', () => {
  it.each([
    ['no extended key usage', { extendedKeyUsage: [] }, 'extended key usage none'],
    ['another usage', { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] }, 'extended key usage 1.3.6.1.5.5.7.3.2'],
    ['any usage', { extendedKeyUsage: ['2.5.29.37.0'] }, 'extended key usage 2.5.29.37.0'],
    ['no identity', { subject: undefined }, 'identity none'],
  ])('refuses %s', (_name, options, why) => {
    expect(refusal(options)).toMatchObject({ code: 'CERTIFICATE_REFUSED', why: expect.stringContaining(why) });
  });

  it('takes code signing among others', () => {
    expect(verify({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.3'] }).statement).toEqual(statement);
  });

  it('does not take bytes for the letters that they become without their eighth bit', () => {
    const subject = Buffer.from(SUBJECT);
    subject.writeUInt8(subject.readUInt8(20) | 0x80, 20);
    expect(refusal({ subject })).toMatchObject({ code: 'IDENTITY_MISMATCH' });
  });
});
