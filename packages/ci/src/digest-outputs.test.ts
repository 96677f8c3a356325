import { describe, expect, it } from 'vitest';
import { setDigestOutputs } from './digest-outputs.ts';

const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;

function outputs(components: Parameters<typeof setDigestOutputs>[1]): Record<string, string> {
  const set: Record<string, string> = {};
  setDigestOutputs(
    {
      setOutput: (name, value) => {
        set[name] = value;
      },
    },
    components,
  );
  return set;
}

describe('setDigestOutputs', () => {
  it.each([
    ['one component', [{ name: 'web', status: 'ok', digest: A }], A, { web: A }],
    ['one that failed', [{ name: 'web', status: 'failed', digest: A }], '', {}],
    ['one without a digest', [{ name: 'web', status: 'ok' }], '', {}],
    ['none', [], '', {}],
    [
      'several: the scalar is empty',
      [
        { name: 'web', status: 'ok', digest: A },
        { name: 'api', status: 'ok', digest: B },
      ],
      '',
      { web: A, api: B },
    ],
    [
      'several of which one succeeded: still empty, so that a re-run does not change its meaning',
      [
        { name: 'web', status: 'failed' },
        { name: 'api', status: 'ok', digest: B },
      ],
      '',
      { api: B },
    ],
  ])('%s', (_name, components, digest, digests) => {
    const set = outputs(components);
    expect(set['digest']).toBe(digest);
    expect(JSON.parse(set['digests'] ?? '')).toEqual(digests);
  });
});
