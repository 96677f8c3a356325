import { sha256 } from '@gitless/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChannelMove, type ChannelState, promotedVersion, requireMove } from './channel.ts';
import type { Promotion } from './promotion-record.ts';

const A = sha256('a');
const B = sha256('b');

function move(version: string, current: ChannelState | undefined, expectedCurrent?: string): ChannelMove {
  return { channel: 'stable', version, digest: B, current, expectedCurrent };
}

describe('requireMove (invariant 9)', () => {
  it.each([
    ['a first promotion', move('1.0.0', undefined)],
    ['a higher version', move('1.0.1', { digest: A, version: '1.0.0' })],
    ['a release after its candidate', move('v1.0.0', { digest: A, version: '1.0.0-rc.9' })],
    ['a higher version, as expected', move('2.0.0', { digest: A, version: '1.0.0' }, A)],
    ['what is there already', move('1.0.0', { digest: B, version: '1.0.0' })],
    ['what is there already, under a lower version', move('1.0.0', { digest: B, version: '2.0.0' })],
    ['what is there already, of unknown version', move('1.0.0', { digest: B })],
    ['away from an unknown version that is named', move('1.0.0', { digest: A }, A)],
  ])('takes %s', (_name, wanted) => {
    expect(() => requireMove(wanted)).not.toThrow();
  });

  it.each([
    ['a lower version', move('1.0.0', { digest: A, version: '1.0.1' }), 'VERSION_LOWER'],
    ['a lower version, though named', move('1.0.0', { digest: A, version: '1.0.1' }, A), 'VERSION_LOWER'],
    ['a candidate after its release', move('1.0.0-rc.1', { digest: A, version: 'v1.0.0' }), 'VERSION_LOWER'],
    ['lower by number, higher by text', move('1.9.0', { digest: A, version: '1.10.0' }), 'VERSION_LOWER'],
    ['the same version of another digest', move('1.0.0', { digest: A, version: '1.0.0' }), 'VERSION_TAKEN'],
    ['the same version, but for the v', move('v1.0.0', { digest: A, version: '1.0.0' }, A), 'VERSION_TAKEN'],
    ['away from an unknown version', move('9.0.0', { digest: A }), 'CHANNEL_UNPROVEN'],
    ['another digest than expected', move('2.0.0', { digest: A, version: '1.0.0' }, B), 'CHANNEL_CHANGED'],
    ['no channel where one was expected', move('2.0.0', undefined, A), 'CHANNEL_CHANGED'],
    ['another digest than expected, though it is the wanted one', move('1.0.0', { digest: B }, A), 'CHANNEL_CHANGED'],
    ['an expectation that is cut short', move('1.0.0', { digest: A }, A.slice(0, -1)), 'CHANNEL_CHANGED'],
    ['an empty expectation', move('1.0.0', { digest: A }, ''), 'CHANNEL_CHANGED'],
  ])('refuses %s', (_name, wanted, code) => {
    expect(() => requireMove(wanted)).toThrow(
      expect.objectContaining({ code, problem: expect.objectContaining({ fix: expect.any(String) }) }),
    );
  });

  it('says what it expected and saw, and which digest to name', () => {
    expect(() => requireMove(move('1.0.0', undefined, A))).toThrow(
      expect.objectContaining({
        problem: expect.objectContaining({ details: [`expected ${A}`, 'seen no such tag'] }),
      }),
    );
    expect(() => requireMove(move('1.0.0', { digest: A }))).toThrow(
      expect.objectContaining({
        problem: expect.objectContaining({ fix: expect.stringContaining(`expected-current: ${A}`) }),
      }),
    );
  });

  it('never lets one channel go up and down: of two versions at most one way is open', () => {
    const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((numbers) => numbers.join('.'));
    const opens = (from: string, to: string) => {
      try {
        requireMove(move(to, { digest: A, version: from }));
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(version, version, (one, other) => {
        expect([opens(one, other), opens(other, one)].filter(Boolean)).toHaveLength(one === other ? 0 : 1);
      }),
    );
  });
});

describe('promotedVersion', () => {
  const record = (channel: string, version: string): Promotion => ({
    schema: 1,
    component: 'web',
    version,
    channel,
    from: { repository: 'ghcr.io/acme/web', digest: A },
    to: { repository: 'ghcr.io/acme/web' },
    promotedAt: '2026-01-01T00:00:00Z',
    promotedBy: { actor: 'a', run: 'r', workflowRef: 'w' },
    policy: 'none',
    evidence: [],
  });

  it('is the highest that was promoted to this channel', () => {
    const records = [
      record('stable', '1.9.0'),
      record('stable', 'v1.10.0'),
      record('stable', '1.10.0-rc.1'),
      record('canary', '2.0.0'),
    ];
    expect(promotedVersion(records, 'stable')).toBe('v1.10.0');
    expect(promotedVersion(records, 'canary')).toBe('2.0.0');
    expect(promotedVersion(records, 'none')).toBeUndefined();
    expect(promotedVersion([], 'stable')).toBeUndefined();
  });
});
