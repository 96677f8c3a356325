import { gzipSync } from 'node:zlib';
import { sha256 } from '@gitless/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gunzip, gzip } from './gzip.ts';

describe('gzip', () => {
  it('gives these bytes on every runner: no name, no time, fixed level', () => {
    expect(Buffer.from(gzip(Buffer.from('hello'))).toString('hex')).toBe(
      '1f8b0800000000000003cb48cdc9c9070086a6103605000000',
    );
    const text = Buffer.from('apiVersion: v1\nkind: ConfigMap\n'.repeat(5000));
    expect(sha256(gzip(text))).toBe('sha256:1745c36f8e9e7f14ae50e8b771ac5a9cab21896649fa9e9fea8c1be93b1dd423');
  });

  it('is undone by gunzip', async () => {
    await fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        expect(Buffer.from(gunzip(gzip(bytes), 5000)).equals(bytes)).toBe(true);
      }),
    );
  });
});

describe('gunzip', () => {
  const refused = expect.objectContaining({ code: 'GZIP_REFUSED' });

  it('stops at the limit', () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(() => gunzip(bomb, 49_999_999)).toThrow(refused);
    expect(gunzip(bomb, 50_000_000)).toHaveLength(50_000_000);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['plain text', Buffer.from('kind: Pod')],
    ['half of it', gzipSync('some text to compress').subarray(0, 20)],
    ['a wrong checksum', Buffer.concat([gzipSync('text').subarray(0, -8), Buffer.alloc(8)])],
    ['trailing garbage', Buffer.concat([gzipSync('text'), Buffer.from('garbage')])],
  ])('refuses %s', (_name, bytes) => {
    expect(() => gunzip(bytes, 1000)).toThrow(refused);
  });
});
