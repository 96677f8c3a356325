import { UserError } from '@gitless/core';
import { MAX_PATH_BYTES, pathProblem, showPath } from './path-rules.ts';
import { parents, ROOT, type TarEntry } from './tar-entry.ts';
import { BLOCK, checksum, FIELD, type Field, MAGIC, padding, TYPEFLAG } from './tar-header.ts';

export interface TarLimits {
  /** Largest number of entries, directories included. */
  readonly maxEntries: number;
  /** Largest sum of the files' sizes in bytes. */
  readonly maxTotalBytes: number;
  /** Longest path in bytes. */
  readonly maxPathBytes: number;
}

export const DEFAULT_TAR_LIMITS: TarLimits = {
  maxEntries: 100_000,
  maxTotalBytes: 512 * 1024 * 1024,
  maxPathBytes: MAX_PATH_BYTES,
};

/**
 * Reads an archive that may be hostile: only what {@link writeTar} and Go's archive/tar write for files and directories
 * (POSIX ustar, with a PAX record for the path), so that every reader sees the same tree as this one.
 *
 * Throws `TAR_REFUSED` for anything else (links, devices, FIFOs, PAX global headers and other records, GNU extensions,
 * unsafe or repeated paths, a wrong checksum, more than `limits` allow) and `TAR_TRUNCATED` when the archive ends early.
 * The contents are views of `bytes`.
 */
export function readTar(bytes: Uint8Array, limits: TarLimits = DEFAULT_TAR_LIMITS): TarEntry[] {
  const tree = emptyTree(limits);
  let at = 0;
  let paxPath: string | undefined;
  for (;;) {
    const block = take(bytes, at, BLOCK);
    if (isZero(block)) {
      break;
    }
    const { typeflag, size } = readHeader(block);
    const content = take(bytes, at + BLOCK, size);
    at += BLOCK + size + padding(size);
    if (typeflag === TYPEFLAG.extended) {
      if (paxPath !== undefined) {
        throw refused('two PAX records follow each other');
      }
      paxPath = readPaxPath(content, limits);
    } else {
      tree.add(readEntry(block, typeflag, paxPath ?? readPath(block), content));
      paxPath = undefined;
    }
  }
  if (paxPath !== undefined) {
    throw truncated();
  }
  take(bytes, at, 2 * BLOCK);
  if (!isZero(bytes.subarray(at))) {
    throw refused('data follows the end of the archive');
  }
  return tree.entries;
}

function take(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (at + length > bytes.byteLength) {
    throw truncated();
  }
  return bytes.subarray(at, at + length);
}

function readHeader(block: Uint8Array): { typeflag: string; size: number } {
  if (readOctal(block, FIELD.checksum) !== checksum(block)) {
    throw refused('a header has a wrong checksum');
  }
  if (latin1(block, FIELD.magic) !== MAGIC) {
    throw refused('a header is not POSIX ustar');
  }
  return { typeflag: latin1(block, FIELD.typeflag), size: readOctal(block, FIELD.size) };
}

function readEntry(block: Uint8Array, typeflag: string, path: string, content: Uint8Array): TarEntry {
  switch (typeflag) {
    case TYPEFLAG.file:
      return { type: 'file', path, executable: (readOctal(block, FIELD.mode) & 0o100) !== 0, content };
    case TYPEFLAG.directory:
      if (content.byteLength > 0) {
        throw refused(`the directory ${showPath(path)} has content`);
      }
      return { type: 'directory', path: path.replace(/(?<=.)\/$/, '') };
    default:
      throw refused(
        `${showPath(path)} is ${TYPE_NAMES[typeflag] ?? `of the unknown type ${JSON.stringify(typeflag)}`}`,
      );
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a FIFO',
  g: 'a PAX global header',
};

/** Prefix and name of a ustar header; both end at the first NUL. */
function readPath(block: Uint8Array): string {
  const name = readText(block, FIELD.name);
  const prefix = readText(block, FIELD.prefix);
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** The path in a PAX record. Records that would change the content or the kind of the entry are refused, times and owners skipped. */
function readPaxPath(record: Uint8Array, limits: TarLimits): string {
  if (record.byteLength > limits.maxPathBytes + BLOCK) {
    throw refused('a PAX record is too long');
  }
  let path: string | undefined;
  for (let at = 0; at < record.byteLength; ) {
    const [, digits] = /^([1-9][0-9]{0,5}) /.exec(Buffer.from(record.subarray(at, at + 7)).toString('latin1')) ?? [];
    const end = at + Number(digits);
    if (digits === undefined || end > record.byteLength || end < at + digits.length + 2 || record[end - 1] !== 0x0a) {
      throw refused('a PAX record is malformed');
    }
    const text = utf8(record.subarray(at + digits.length + 1, end - 1));
    const equals = text.indexOf('=');
    const key = text.slice(0, equals);
    if (key === 'path' && path === undefined) {
      path = text.slice(equals + 1);
    } else if (equals < 0 || !SKIPPED_PAX_KEYS.has(key)) {
      throw refused(`a PAX record has the key ${showPath(key)}`);
    }
    at = end;
  }
  if (path === undefined) {
    throw refused('a PAX record has no path');
  }
  return path;
}

const SKIPPED_PAX_KEYS = new Set(['atime', 'ctime', 'mtime', 'uid', 'gid', 'uname', 'gname']);

/** Collects entries and keeps their paths a tree: safe, unique, and no file above another entry. */
function emptyTree(limits: TarLimits): { readonly entries: TarEntry[]; add(entry: TarEntry): void } {
  const entries: TarEntry[] = [];
  const named = new Set<string>();
  const files = new Set<string>();
  const directories = new Set<string>();
  let total = 0;

  function add(entry: TarEntry): void {
    const { path } = entry;
    const isRoot = entry.type === 'directory' && path === ROOT;
    const problem = isRoot ? undefined : pathProblem(path, limits.maxPathBytes);
    if (problem !== undefined) {
      throw refused(`the path ${showPath(path)} ${problem}`);
    }
    if (named.has(path)) {
      throw refused(`${showPath(path)} comes twice`);
    }
    if (entries.length >= limits.maxEntries) {
      throw refused(`it has more than ${limits.maxEntries} entries`);
    }
    if (entry.type === 'file') {
      total += entry.content.byteLength;
      files.add(path);
    } else {
      directories.add(path);
    }
    if (total > limits.maxTotalBytes) {
      throw refused(`its files have more than ${limits.maxTotalBytes} bytes`);
    }
    for (const parent of parents(path)) {
      if (files.has(parent)) {
        throw refused(`${showPath(parent)} is a file and a directory`);
      }
      if (directories.has(parent)) {
        break;
      }
      directories.add(parent);
    }
    if (entry.type === 'file' && directories.has(path)) {
      throw refused(`${showPath(path)} is a file and a directory`);
    }
    named.add(path);
    entries.push(entry);
  }
  return { entries, add };
}

/** Octal digits between spaces and NULs (Go `parser.parseOctal`); the GNU base-256 form is refused. */
function readOctal(block: Uint8Array, field: Field): number {
  const digits = latin1(block, field).replace(/^[ \0]+|[ \0]+$/g, '');
  if (!/^[0-7]{0,11}$/.test(digits)) {
    throw refused('a header has a malformed number');
  }
  return Number.parseInt(digits === '' ? '0' : digits, 8);
}

function readText(block: Uint8Array, { at, length }: Field): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return utf8(end < 0 ? field : field.subarray(0, end));
}

function latin1(block: Uint8Array, { at, length }: Field): string {
  return Buffer.from(block.subarray(at, at + length)).toString('latin1');
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refused('a path is not UTF-8');
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function refused(why: string): UserError {
  return new UserError({
    code: 'TAR_REFUSED',
    what: 'the archive is refused',
    why,
    fix: 'an artifact holds regular files and directories with plain relative paths; build it with gitless or flux push',
  });
}

function truncated(): UserError {
  return new UserError({
    code: 'TAR_TRUNCATED',
    what: 'the archive ends before its end marker',
    fix: 'transfer or build it again',
  });
}
