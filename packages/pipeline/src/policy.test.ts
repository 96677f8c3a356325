import { UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import type { Config } from './config-schema.ts';
import { asIdentity, requireSettings, resolvePolicy } from './policy.ts';

const CONFIG: Config = {
  schema: 1,
  registry: 'ghcr.io/acme',
  production: 'ghcr.io/acme-production',
  identity: {
    issuer: 'https://issuer',
    subject: 'https://github.com/acme/shop/ship.yml@main',
    repository: 'acme/shop',
  },
  trust: { 'trusted-root': 'root.json', 'signing-config': 'signing.json' },
  channels: { latest: { by: 'push' } },
};

const NOTHING = {
  identity: undefined,
  trustedRoot: undefined,
  signingConfig: undefined,
  channels: undefined,
  registry: undefined,
  production: undefined,
};

describe('resolvePolicy', () => {
  it('takes the rules of gitless.yaml on the default branch only', () => {
    expect(resolvePolicy(CONFIG, true, {})).toEqual({
      identity: CONFIG.identity,
      trustedRoot: 'root.json',
      signingConfig: 'signing.json',
      channels: { latest: { by: 'push' } },
      registry: 'ghcr.io/acme',
      production: 'ghcr.io/acme-production',
    });
    expect(resolvePolicy(CONFIG, false, {})).toEqual(NOTHING);
    expect(resolvePolicy(undefined, true, {})).toEqual(NOTHING);
  });

  it('prefers inputs, which count on any ref', () => {
    const inputs = {
      identity: 'https://github.com/acme/shop/other.yml@main',
      issuer: 'https://other-issuer',
      'source-repository': 'acme/other',
      'trusted-root': 'given.json',
      'signing-config': 'given-config.json',
    };
    for (const onDefaultBranch of [true, false]) {
      expect(resolvePolicy(CONFIG, onDefaultBranch, inputs)).toMatchObject({
        identity: { issuer: inputs.issuer, subject: inputs.identity, repository: 'acme/other' },
        trustedRoot: 'given.json',
        signingConfig: 'given-config.json',
      });
    }
  });

  it.each([
    ['identity', 'issuer is given without identity', { issuer: 'https://issuer' }],
    ['issuer', 'identity is given without issuer', { identity: 'https://github.com/acme/shop' }],
  ])('refuses an identity without %s, also where the file has both', (_what, message, change) => {
    expect(() => resolvePolicy(CONFIG, true, change)).toThrow(message);
  });
});

describe('asIdentity', () => {
  it('writes the repository as the certificate does', () => {
    const identity = { issuer: 'i', subject: 's', repository: 'acme/shop' };
    expect(asIdentity(identity, 'https://github.com')).toEqual({
      issuer: 'i',
      subject: 's',
      sourceRepository: 'https://github.com/acme/shop',
    });
    expect(asIdentity({ issuer: 'i', subject: 's' }, 'https://github.com')).toEqual({ issuer: 'i', subject: 's' });
  });

  it('takes the repository that holds the workflow where nobody names another, so that callers of a shared one are told apart', () => {
    const subject = 'https://github.com/acme/workflows/.github/workflows/ship.yml@refs/heads/main';
    expect(asIdentity({ issuer: 'i', subject }, 'https://github.com')).toMatchObject({
      sourceRepository: 'https://github.com/acme/workflows',
    });
    expect(asIdentity({ issuer: 'i', subject, repository: 'acme/shop' }, 'https://github.com')).toMatchObject({
      sourceRepository: 'https://github.com/acme/shop',
    });
  });
});

describe('requireSettings', () => {
  it('names all that are missing at once', () => {
    const check = () =>
      requireSettings('push', [
        ['trusted-root', undefined],
        ['registry', 'ghcr.io/acme'],
        ['identity', undefined],
      ]);
    expect(check).toThrow(UserError);
    expect(check).toThrow('push needs trusted-root, identity [SETTING_MISSING]');
    expect(() => requireSettings('push', [['registry', '']])).not.toThrow();
  });
});
