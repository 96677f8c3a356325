import { UserError } from '@gitless/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TAR_LIMITS, readTar } from './read-tar.ts';
import { type TarEntry, treeEntries } from './tar-entry.ts';
import { BLOCK, checksum, FIELD } from './tar-header.ts';
import { writeTar } from './write-tar.ts';

const END = Buffer.alloc(2 * BLOCK);

/** A ustar header with every field that a hostile archive may choose. */
function header(fields: Partial<Record<'name' | 'prefix' | 'typeflag' | 'size' | 'magic' | 'mode', string>>): Buffer {
  const { name = 'a', prefix = '', typeflag = '0', size = '0', magic = 'ustar\u000000', mode = '644' } = fields;
  const block = Buffer.alloc(BLOCK);
  block.write(name, FIELD.name.at, FIELD.name.length);
  block.write(prefix, FIELD.prefix.at);
  block.write(mode, FIELD.mode.at);
  block.write(size, FIELD.size.at, FIELD.size.length, 'latin1');
  block.write(typeflag, FIELD.typeflag.at);
  block.write(magic, FIELD.magic.at);
  return mend(block);
}

function mend(block: Buffer): Buffer {
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, FIELD.checksum.at);
  return block;
}

function pax(record: string): Buffer {
  const content = Buffer.alloc(Math.ceil(record.length / BLOCK) * BLOCK);
  content.write(record);
  return Buffer.concat([header({ typeflag: 'x', size: Buffer.byteLength(record).toString(8) }), content]);
}

function outcome(...parts: Uint8Array[]): string {
  try {
    return readTar(Buffer.concat(parts))
      .map(({ type, path }) => `${type} ${path}`)
      .join();
  } catch (error) {
    return error instanceof UserError ? `${error.code}: ${error.problem.why ?? ''}` : 'not a UserError';
  }
}

const names = fc
  .string({ unit: fc.constantFrom(...'ab.é日\u{1f600}-'), minLength: 1, maxLength: 60 })
  .map((name) => `${name}_`);
const trees = fc
  .uniqueArray(
    fc.record({ path: fc.array(names, { minLength: 1, maxLength: 4 }), size: fc.nat(1100), x: fc.boolean() }),
    {
      selector: ({ path: [first] }) => first,
      maxLength: 6,
    },
  )
  .map((files) =>
    treeEntries(
      files.map(({ path, size, x }) => ({ path: path.join('/'), content: Buffer.alloc(size, 'x'), executable: x })),
    ),
  );

describe('readTar', () => {
  it('gives back what writeTar wrote', async () => {
    await fc.assert(
      fc.property(trees, (entries) => {
        expect(plain(readTar(writeTar(entries)))).toEqual(plain(entries));
      }),
    );
  });

  it.each([
    ['a hard link', header({ typeflag: '1' }), 'is a hard link'],
    ['a symbolic link', header({ typeflag: '2' }), 'is a symbolic link'],
    ['a character device', header({ typeflag: '3' }), 'is a character device'],
    ['a block device', header({ typeflag: '4' }), 'is a block device'],
    ['a FIFO', header({ typeflag: '6' }), 'is a FIFO'],
    ['a PAX global header', header({ typeflag: 'g' }), 'is a PAX global header'],
    ['a GNU long name', header({ typeflag: 'L' }), 'unknown type "L"'],
    ['an old-style file', header({ typeflag: '\0' }), 'unknown type'],
    ['GNU magic', header({ magic: 'ustar  \0' }), 'not POSIX ustar'],
    ['an absolute path', header({ name: '/etc/passwd' }), 'is absolute'],
    ['an absolute prefix', header({ prefix: '/etc', name: 'passwd' }), 'is absolute'],
    ['a path out of the tree', header({ name: '../a' }), 'has "../"'],
    ['a path that Flux takes for one', header({ name: 'a/b../c' }), 'has "../"'],
    ['a backslash', header({ name: 'a\\b' }), 'backslash'],
    ['an empty path', header({ name: '' }), 'is empty'],
    ['a name that is not UTF-8', mend(header({ name: 'a' }).fill(0xff, 0, 1)), 'not UTF-8'],
    ['a directory with content', header({ typeflag: '5', size: '1000' }), 'has content'],
    ['a size in base 256', header({ size: '\x80\0\0\0\0\0\0\0\0\0\0\x01' }), 'malformed number'],
    ['a negative size', header({ size: '-1' }), 'malformed number'],
    ['a PAX size', Buffer.concat([pax('12 size=100\n'), header({})]), 'key "size"'],
    ['a sparse file', Buffer.concat([pax('22 GNU.sparse.major=1\n'), header({})]), 'key "GNU.sparse.major"'],
    ['a PAX link path', Buffer.concat([pax('14 linkpath=b\n'), header({})]), 'key "linkpath"'],
    ['a PAX path out of the tree', Buffer.concat([pax('13 path=../b\n'), header({})]), 'has "../"'],
    ['two paths in a record', Buffer.concat([pax('9 path=b\n9 path=c\n'), header({})]), 'key "path"'],
    ['a PAX record that overruns', Buffer.concat([pax('99 path=b\n'), header({})]), 'malformed'],
    ['a PAX record of no length', Buffer.concat([pax('0 path=b\n'), header({})]), 'malformed'],
    ['two PAX records in a row', Buffer.concat([pax('9 path=b\n'), pax('9 path=b\n')]), 'follow each other'],
    ['a repeated path', Buffer.concat([header({ name: 'a' }), header({ name: 'a' })]), '"a" comes twice'],
    [
      'a repeated directory',
      Buffer.concat([header({ typeflag: '5' }), header({ name: 'a/', typeflag: '5' })]),
      'twice',
    ],
    [
      'a file that becomes a directory',
      Buffer.concat([header({ name: 'a' }), header({ name: 'a/b' })]),
      'and a directory',
    ],
    [
      'a directory that becomes a file',
      Buffer.concat([header({ name: 'a/b' }), header({ name: 'a' })]),
      'and a directory',
    ],
  ])('refuses %s', (_name, bytes, why) => {
    expect(outcome(bytes, Buffer.alloc(BLOCK), END)).toContain('TAR_REFUSED');
    expect(outcome(bytes, Buffer.alloc(BLOCK), END)).toContain(why);
  });

  it('refuses a changed header', () => {
    const changed = header({ name: 'a' }).fill('b', 0, 1);
    expect(outcome(changed, END)).toContain('wrong checksum');
  });

  it('reads a directory with a trailing slash, and skips times and owners in PAX records', () => {
    const record = '9 path=b\n15 mtime=123.5\n';
    expect(outcome(header({ name: 'd/', typeflag: '5' }), pax(record), header({}), END)).toBe('directory d,file b');
  });

  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['half a header', header({}).subarray(0, 100)],
    ['missing content', header({ size: '1000' })],
    ['no end marker', header({})],
    ['one zero block', Buffer.concat([header({}), Buffer.alloc(BLOCK)])],
    ['a PAX record without its entry', Buffer.concat([pax('9 path=b\n'), END])],
  ])('finds the archive truncated: %s', (_name, bytes) => {
    expect(outcome(bytes)).toContain('TAR_TRUNCATED');
  });

  it('refuses data after the end marker, which another reader might take for entries', () => {
    expect(outcome(header({}), END, header({ name: 'hidden' }), END)).toContain('data follows');
    expect(outcome(header({}), Buffer.alloc(BLOCK), header({ name: 'hidden' }), END)).toContain('data follows');
    expect(outcome(header({}), END, Buffer.alloc(8192))).toBe('file a');
  });

  it.each([
    ['entries', { ...DEFAULT_TAR_LIMITS, maxEntries: 2 }],
    ['bytes', { ...DEFAULT_TAR_LIMITS, maxTotalBytes: 9 }],
    ['the path', { ...DEFAULT_TAR_LIMITS, maxPathBytes: 3 }],
  ])('keeps the limit of %s', (_name, limits) => {
    const bytes = writeTar(
      treeEntries([
        { path: 'long', content: Buffer.alloc(10), executable: false },
        { path: 'b', content: Buffer.alloc(0), executable: false },
      ]),
    );
    expect(() => readTar(bytes, limits)).toThrow(expect.objectContaining({ code: 'TAR_REFUSED' }));
    expect(readTar(bytes)).toHaveLength(3);
  });

  it('fails only with TAR_REFUSED or TAR_TRUNCATED, whatever is changed, also under a right checksum', async () => {
    const original = writeTar(
      treeEntries(
        ['a.yaml', 'é/b.yaml', `${'d'.repeat(120)}/c`].map((path) => ({
          path,
          content: Buffer.from('x'),
          executable: false,
        })),
      ),
    );
    const changes = fc.array(fc.tuple(fc.nat(original.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.property(changes, fc.nat(original.byteLength), fc.boolean(), (edits, cut, mended) => {
        const bytes = Buffer.from(original);
        for (const [at, value] of edits) {
          bytes[at] = value;
          if (mended) {
            const start = at - (at % BLOCK);
            mend(bytes.subarray(start, start + BLOCK));
          }
        }
        expect(outcome(mended ? bytes : bytes.subarray(0, cut))).not.toBe('not a UserError');
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses noise', async () => {
    await fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (noise) => {
        expect(outcome(noise)).toMatch(/^TAR_/);
      }),
    );
  });
});

function plain(entries: readonly TarEntry[]): unknown[] {
  return entries.map((entry) =>
    entry.type === 'file' ? { ...entry, content: Buffer.from(entry.content).toString('hex') } : entry,
  );
}
