import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUILD, testContext, withDirectory } from './fixtures.ts';
import {
  readTrustedRoot,
  requireOwnIdentity,
  resolveServices,
  type SessionRules,
  type SigningToken,
} from './signing-session.ts';

const OWN = 'acme/shop/.github/workflows/ship.yml@refs/heads/main';
const RULES: SessionRules = { sharedIdentity: false, environment: undefined };

function token(change: Partial<SigningToken['claims']> = {}): SigningToken {
  return {
    jwt: 'header.payload.signature',
    claims: { sub: 'repo:acme/shop:ref:refs/heads/main', repository: 'acme/shop', job_workflow_ref: OWN, ...change },
  };
}

describe('requireOwnIdentity', () => {
  it.each<[string, Partial<SigningToken['claims']>, Partial<SessionRules>, string | undefined]>([
    ['the own workflow', {}, {}, undefined],
    ['the token of another repository', { repository: 'acme/other' }, {}, 'TOKEN_FOREIGN'],
    [
      'a reusable workflow elsewhere',
      { job_workflow_ref: 'acme/ci/.github/workflows/x.yml@v1' },
      {},
      'IDENTITY_SHARED',
    ],
    [
      'a repository whose name only starts the same',
      { job_workflow_ref: 'acme/shop-ci/.github/workflows/x.yml@v1' },
      {},
      'IDENTITY_SHARED',
    ],
    [
      'a reusable workflow that is allowed',
      { job_workflow_ref: 'acme/ci/.github/workflows/x.yml@v1' },
      { sharedIdentity: true },
      undefined,
    ],
    ['another repository, however shared', { repository: 'acme/other' }, { sharedIdentity: true }, 'TOKEN_FOREIGN'],
    ['the environment that is wanted', { environment: 'production' }, { environment: 'production' }, undefined],
    ['another environment', { environment: 'staging' }, { environment: 'production' }, 'ENVIRONMENT_MISMATCH'],
    ['no environment', {}, { environment: 'production' }, 'ENVIRONMENT_MISMATCH'],
    ['an environment that nobody asked for', { environment: 'production' }, {}, undefined],
  ])('%s', (_what, claims, rules, code) => {
    const check = () => requireOwnIdentity(token(claims), BUILD, { ...RULES, ...rules });
    if (code === undefined) {
      expect(check).not.toThrow();
    } else {
      expect(check).toThrow(`[${code}]`);
    }
  });
});

describe('resolveServices', () => {
  const context = testContext();
  const urls = { fulcioUrl: 'https://fulcio.test', rekorUrl: 'https://rekor.test', tsaUrl: 'https://tsa.test/api' };
  const given = {
    'signing-config': undefined,
    'fulcio-url': urls.fulcioUrl,
    'rekor-url': urls.rekorUrl,
    'tsa-url': urls.tsaUrl,
  };
  const config = JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [{ url: 'https://ca.file.test', majorApiVersion: 1, validFor: { start: '2024-01-01T00:00:00Z' } }],
    rekorTlogUrls: [{ url: 'https://log.file.test', majorApiVersion: 2, validFor: { start: '2024-01-01T00:00:00Z' } }],
    tsaUrls: [{ url: 'https://tsa.file.test', majorApiVersion: 1, validFor: { start: '2024-01-01T00:00:00Z' } }],
  });

  it('takes the URLs that are given, and the rest from the signing config', async () => {
    expect(await resolveServices(context, '/', given)).toEqual(urls);
    await withDirectory(async (workspace) => {
      await writeFile(join(workspace, 'signing.json'), config);
      const settings = {
        'signing-config': 'signing.json',
        'fulcio-url': urls.fulcioUrl,
        'rekor-url': undefined,
        'tsa-url': undefined,
      };
      expect(await resolveServices(context, workspace, settings)).toEqual({
        fulcioUrl: urls.fulcioUrl,
        rekorUrl: 'https://log.file.test',
        tsaUrl: 'https://tsa.file.test',
      });
    });
  });

  it('has no default instance, and sends no token in clear', async () => {
    const none = { ...given, 'rekor-url': undefined };
    await expect(resolveServices(context, '/', none)).rejects.toMatchObject({ code: 'SETTING_MISSING' });
    const clear = { ...given, 'fulcio-url': 'http://fulcio.test' };
    await expect(resolveServices(context, '/', clear)).rejects.toMatchObject({ code: 'SERVICE_NOT_HTTPS' });
  });
});

describe('readTrustedRoot', () => {
  it('tells a file that is missing from one that is none', async () => {
    await withDirectory(async (workspace) => {
      await expect(readTrustedRoot(workspace, 'root.json')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
      await writeFile(join(workspace, 'root.json'), '{}');
      await expect(readTrustedRoot(workspace, 'root.json')).rejects.toMatchObject({ code: 'BAD_TRUSTED_ROOT' });
    });
  });
});
