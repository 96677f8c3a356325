import { UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { BUILD } from './fixtures.ts';
import { buildTag, channelOwner, otherRefTags, pushTags, requirePromotable } from './tag-rules.ts';

const CHANNELS = {
  latest: { by: 'push' },
  next: { by: 'push' },
  prod_ring1: { by: 'promote' },
} as const;

const digits = '0123456789abcdef'.repeat(4);

// tag, whether push may write it, whether promote may write it as a channel; without and with `channels`.
const TABLE: readonly (readonly [string, boolean, boolean, boolean, boolean])[] = [
  ['latest', true, false, true, false],
  ['stable', false, true, false, true],
  ['next', true, false, true, false],
  ['prod_ring1', true, false, false, true],
  ['main', true, false, true, false],
  ['v1', true, false, true, false],
  ['1.2', true, false, true, false],
  ['constructor', true, false, true, false],
  ['v1.2.3', false, false, false, false],
  ['1.2.3', false, false, false, false],
  ['v1.2.3-rc.1', false, false, false, false],
  ['v9007199254740993.0.0', false, false, false, false],
  ['01.2.3', false, false, false, false],
  ['b-0123456789ab-4242', false, false, false, false],
  ['b-', false, false, false, false],
  [`sha256-${digits}`, false, false, false, false],
  [`sha256-${digits}.sig`, false, false, false, false],
  [`sha512-${digits}${digits}`, false, false, false, false],
  ['', false, false, false, false],
  ['-latest', false, false, false, false],
  ['lat/est', false, false, false, false],
  ['latest\n', false, false, false, false],
  ['x'.repeat(129), false, false, false, false],
];

function allows(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof UserError && error.code === 'TAG_REFUSED') {
      return false;
    }
    throw error;
  }
}

describe('who may write a tag', () => {
  it.each(TABLE)(
    '%j: push %j, promote %j; with channels: push %j, promote %j',
    (tag, push, promote, pushBy, promoteBy) => {
      expect(allows(() => pushTags([tag], undefined))).toBe(push);
      expect(allows(() => requirePromotable(tag, undefined))).toBe(promote);
      expect(allows(() => pushTags([tag], CHANNELS))).toBe(pushBy);
      expect(allows(() => requirePromotable(tag, CHANNELS))).toBe(promoteBy);
    },
  );

  it('lets channels hand stable to push and latest to promote', () => {
    const channels = { stable: { by: 'push' }, latest: { by: 'promote' } } as const;
    expect(channelOwner(channels, 'stable')).toBe('push');
    expect(pushTags([], channels)).toEqual(['stable']);
    expect(requirePromotable('latest', channels)).toBe('latest');
  });
});

describe('pushTags', () => {
  it('takes the input, else the channels of push, else latest; each once', () => {
    expect(pushTags(['next', 'next', 'main'], CHANNELS)).toEqual(['next', 'main']);
    expect(pushTags([], CHANNELS)).toEqual(['latest', 'next']);
    expect(pushTags([], { stable: { by: 'promote' } })).toEqual(['latest']);
    expect(pushTags([], undefined)).toEqual(['latest']);
  });

  it('names every tag that is refused, and why', () => {
    try {
      pushTags(['latest', 'stable', 'v1.0.0', 'b-x'], undefined);
      throw new Error('taken');
    } catch (error) {
      expect(error instanceof UserError && error.problem.details).toEqual([
        'stable: is a channel that promote owns',
        'v1.0.0: is a version, which only promote writes',
        'b-x: is reserved for build tags',
      ]);
    }
  });
});

describe('buildTag', () => {
  it('names commit and run, not the attempt', () => {
    expect(buildTag(BUILD)).toBe('b-0123456789ab-4242');
    expect(buildTag({ ...BUILD, runAttempt: '3' })).toBe(buildTag(BUILD));
  });
});

describe('otherRefTags', () => {
  const inputs = { tags: ['next'], identity: 'https://github.com/acme/shop', issuer: 'https://issuer' };

  it('takes a channel that the default branch does not write', () => {
    expect(otherRefTags(inputs, undefined)).toEqual(['next']);
    expect(otherRefTags(inputs, { schema: 1, channels: { prod: { by: 'push' } } })).toEqual(['next']);
  });

  it.each([
    ['no tags', { tags: [] }, 'push on this ref needs tags [SETTING_MISSING]'],
    ['no identity', { identity: undefined }, 'push on this ref needs identity [SETTING_MISSING]'],
    ['no issuer', { issuer: undefined }, 'push on this ref needs issuer [SETTING_MISSING]'],
    ['latest', { tags: ['next', 'latest'] }, 'latest belongs to the default branch [TAG_REFUSED]'],
    ['a channel of gitless.yaml', { tags: ['prod'] }, 'prod belongs to the default branch [TAG_REFUSED]'],
    ['a channel of promote', { tags: ['stable'] }, 'push may not write these tags [TAG_REFUSED]'],
  ])('refuses %s', (_what, change, message) => {
    const config = { schema: 1, channels: { prod: { by: 'push' } } } as const;
    expect(() => otherRefTags({ ...inputs, ...change }, config)).toThrow(message);
  });
});
