import { sha256 } from '@gitless/core';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { type Promotion, PromotionSchema } from './promotion-record.ts';

const DIGEST = sha256('artifact');

const minimal: Promotion = {
  schema: 1,
  component: 'web',
  version: 'v1.2.3',
  channel: 'stable',
  from: { repository: 'ghcr.io/acme/web', digest: DIGEST },
  to: { repository: 'ghcr.io/acme-production/web' },
  promotedAt: '2026-01-02T03:04:05.678Z',
  promotedBy: { actor: 'octocat', run: 'https://github.com/acme/shop/actions/runs/1', workflowRef: 'acme/shop/x@main' },
  policy: 'none',
  evidence: [],
};

const complete: Promotion = {
  ...minimal,
  previousDigest: sha256('before'),
  promotedBy: { ...minimal.promotedBy, environment: 'production' },
  reason: 'release',
  evidence: [{ predicateType: 'https://slsa.dev/provenance/v1', issuer: 'i', subject: 's', signedAt: 't' }],
  optIns: ['allow-refs: refs/heads/release'],
  approvals: [{ approver: 'hubber' }, { approver: 'mona', approvedAt: '2026-01-02T03:00:00Z', comment: 'fine' }],
  policyDigest: sha256('policy'),
  ticket: 'OPS-1',
  override: { by: 'mona', reason: 'outage' },
};

describe('PromotionSchema', () => {
  it.each([
    ['the least', minimal],
    ['everything', complete],
  ])('takes %s, as it is', (_name, record) => {
    expect(v.parse(PromotionSchema, record)).toEqual(record);
  });

  it.each(Object.keys(minimal))('refuses a record without %s', (field) => {
    expect(v.is(PromotionSchema, { ...minimal, [field]: undefined })).toBe(false);
  });

  it.each([
    ['schema', 2],
    ['schema', '1'],
    ['component', ''],
    ['version', 'latest'],
    ['version', '1.2'],
    ['version', '1.2.3+build'],
    ['version', `1.2.3-${'a'.repeat(200)}`],
    ['channel', ''],
    ['from', { repository: 'ghcr.io/acme/web' }],
    ['from', { repository: 'ghcr.io/acme/web', digest: 'latest' }],
    ['from', { ...minimal.from, tag: 'x' }],
    ['to', { repository: 'r', digest: DIGEST }],
    ['previousDigest', ''],
    ['previousDigest', null],
    ['previousDigest', DIGEST.toUpperCase()],
    ['promotedAt', 'today'],
    ['promotedAt', '2026-01-02'],
    ['promotedBy', { actor: 'a', run: 'r' }],
    ['evidence', [{ predicateType: 'p' }]],
    ['optIns', 'allow-refs'],
    ['approvals', [{}]],
    ['policyDigest', 'sha512:0'],
    ['override', { by: 'mona' }],
    ['ticket', ''],
    ['unknown', true],
  ])('refuses %s: %j', (field, value) => {
    expect(v.is(PromotionSchema, { ...complete, [field]: value })).toBe(false);
  });
});
