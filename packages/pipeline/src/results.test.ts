import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { BUILD } from './fixtures.ts';
import { PromoteResultSchema, type Result, ResultSchema } from './results.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const RESULT: Result = {
  schema: 1,
  step: 'render',
  build: BUILD,
  components: [
    { name: 'web', status: 'ok', environments: ['staging'], files: [{ path: 'staging/a.yaml', sha256: DIGEST }] },
  ],
  findings: [],
};

function withComponent(change: object): unknown {
  return { ...RESULT, components: [{ ...RESULT.components[0], ...change }] };
}

describe('ResultSchema', () => {
  it('takes what the steps write', () => {
    expect(v.parse(ResultSchema, RESULT)).toEqual(RESULT);
    const complete = withComponent({
      path: 'apps/web',
      engine: 'plain',
      pathPrefix: '',
      contentDigest: DIGEST,
      digest: DIGEST,
      bundles: [{ predicateType: 'https://slsa.dev/provenance/v1', digest: DIGEST, logIndex: '7' }],
      repository: 'ghcr.io/acme/web',
      tags: ['latest'],
    });
    expect(v.is(ResultSchema, complete)).toBe(true);
    expect(v.is(ResultSchema, withComponent({ status: 'failed', error: { code: 'X', message: 'y' } }))).toBe(true);
  });

  it.each([
    ['a name that is a path', withComponent({ name: '../../etc' })],
    ['a name with a separator', withComponent({ name: 'web/api' })],
    ['an environment that is a path', withComponent({ environments: ['../production'] })],
    ['a component twice', { ...RESULT, components: [RESULT.components[0], RESULT.components[0]] }],
    ['a digest of another algorithm', withComponent({ digest: `sha512:${'a'.repeat(128)}` })],
    ['a digest in upper case', withComponent({ digest: `sha256:${'A'.repeat(64)}` })],
    ['a key of a later schema', { ...RESULT, approved: true }],
    ['a status that is neither', withComponent({ status: 'skipped' })],
    ['another schema version', { ...RESULT, schema: 2 }],
    ['a commit that is none', { ...RESULT, build: { ...BUILD, sha: 'main' } }],
  ])('refuses %s', (_what, data) => {
    expect(v.is(ResultSchema, data)).toBe(false);
  });
});

describe('PromoteResultSchema', () => {
  it('has a cell for each component and channel in place of components', () => {
    const cell = { component: 'web', channel: 'stable', version: 'v1.0.0', status: 'promoted', digest: DIGEST };
    const result = {
      schema: 1,
      step: 'promote',
      build: BUILD,
      dryRun: false,
      policy: 'none',
      cells: [
        { ...cell, changes: { added: ['a'], removed: [], changed: [] }, leftBehind: [{ digest: DIGEST, reason: 'r' }] },
      ],
      findings: [],
    };
    expect(v.is(PromoteResultSchema, result)).toBe(true);
    expect(v.is(PromoteResultSchema, { ...result, cells: [{ ...cell, status: 'ok' }] })).toBe(false);
    expect(v.is(PromoteResultSchema, { ...result, components: [] })).toBe(false);
  });
});
