import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLoopback } from './loopback.ts';
import { isName, requireName } from './names.ts';

describe('component and environment names', () => {
  it.each(['ab', 'web', 'web-api', 'a.b', 'a_b', '0-9', 'a'.repeat(63)])('takes %s', (name) => {
    expect(requireName('component', name)).toBe(name);
  });

  it.each(['', 'a', 'a'.repeat(64), '-a', 'a-', 'a--b', 'a..b', '..', '.a', 'A', 'ab\n', 'ä-b', 'a b', 'a/b', 'a\0b'])(
    'refuses %j',
    (name) => {
      expect(() => requireName('environment', name)).toThrow(
        expect.objectContaining({ code: 'BAD_NAME', message: expect.stringContaining('environment name ') }),
      );
    },
  );

  it('never takes what could leave a directory, a repository path or a label', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 70 }), (text) => {
        const safe = /^[a-z0-9][a-z0-9._-]{0,61}[a-z0-9]$/.test(text) && !/[._-]{2}/.test(text);
        expect(isName(text)).toBe(safe);
      }),
    );
  });
});

describe('isLoopback', () => {
  it.each([
    ['http://localhost:80', true],
    ['http://127.0.0.1', true],
    ['http://127.1', true],
    ['http://0x7f000001', true],
    ['http://[::1]:8080', true],
    ['http://[0:0:0:0:0:0:0:1]', true],
    ['http://localhost.example.com', false],
    ['http://127.0.0.1.example.com', false],
    ['http://127.example.com', false],
    ['http://0.0.0.0', false],
    ['http://10.0.0.1', false],
    ['http://[::ffff:127.0.0.1]', false],
    ['http://localhost@example.com', false],
  ])('%s: %s', (url, loopback) => {
    expect(isLoopback(new URL(url).hostname)).toBe(loopback);
  });
});
