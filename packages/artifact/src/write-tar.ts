import type { TarEntry } from './tar-entry.ts';
import {
  BLOCK,
  checksum,
  FIELD,
  type Field,
  MAGIC,
  NAME_BYTES,
  PREFIX_BYTES,
  padding,
  TYPEFLAG,
} from './tar-header.ts';

// Written by hand: the bytes must equal those of Go's archive/tar, which no library for Node promises or pins.

const ASCII = /^\p{ASCII}*$/u;

/**
 * Archives `entries` in their order, byte for byte as Go's archive/tar does with the headers of the Flux library
 * (fluxcd/pkg `tar/tar.go`): uid, gid and mtime 0, empty names, directories without a trailing slash, USTAR, and PAX
 * only for a path that USTAR cannot hold. Modes are 0755 for directories and executables, else 0644: what Flux writes
 * under umask 022, here under any.
 */
export function writeTar(entries: readonly TarEntry[]): Uint8Array {
  const blocks = entries.flatMap((entry) => [
    ...pathHeaders(entry),
    ...(entry.type === 'file' ? data(entry.content) : []),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** USTAR where the path fits its name and prefix fields, else a PAX record before the header (Go `Header.allowedFormats`). */
function pathHeaders(entry: TarEntry): Uint8Array[] {
  const { path } = entry;
  const typeflag = TYPEFLAG[entry.type];
  const mode = entry.type === 'directory' || entry.executable ? 0o755 : 0o644;
  const size = entry.type === 'file' ? entry.content.byteLength : 0;
  if (ASCII.test(path) && path.length <= NAME_BYTES) {
    return [header({ name: path, prefix: '', typeflag, mode, size })];
  }
  const split = splitUstarPath(path);
  if (split !== undefined) {
    return [header({ ...split, typeflag, mode, size })];
  }
  const record = Buffer.from(paxRecord('path', path));
  return [
    header({
      name: paxHeaderName(path),
      prefix: '',
      typeflag: TYPEFLAG.extended,
      mode: 0,
      size: record.length,
      short: true,
    }),
    ...data(record),
    header({ name: fallbackName(path), prefix: '', typeflag, mode, size }),
  ];
}

interface HeaderFields {
  readonly name: string;
  readonly prefix: string;
  readonly typeflag: string;
  readonly mode: number;
  readonly size: number;
  /** Leaves the device fields empty, as Go does in the header of a PAX record (`Writer.writeRawFile`). */
  readonly short?: boolean;
}

function header(fields: HeaderFields): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const text = (field: Field, value: string) => block.write(value, field.at, field.length, 'latin1');
  const octal = (field: Field, value: number) => text(field, value.toString(8).padStart(field.length - 1, '0'));
  text(FIELD.name, fields.name);
  octal(FIELD.mode, fields.mode);
  octal(FIELD.uid, 0);
  octal(FIELD.gid, 0);
  octal(FIELD.size, fields.size);
  octal(FIELD.mtime, 0);
  text(FIELD.typeflag, fields.typeflag);
  text(FIELD.magic, MAGIC);
  if (fields.short !== true) {
    octal(FIELD.devmajor, 0);
    octal(FIELD.devminor, 0);
  }
  text(FIELD.prefix, fields.prefix);
  // Six digits, NUL, space: the one field with its own ending.
  text(FIELD.checksum, `${checksum(block).toString(8).padStart(6, '0')}\0 `);
  return block;
}

function data(content: Uint8Array): Uint8Array[] {
  return [content, Buffer.alloc(padding(content.byteLength))];
}

/** Splits at the last `/` that leaves at most 155 bytes before it and 100 after it (Go `splitUSTARPath`). */
function splitUstarPath(path: string): { name: string; prefix: string } | undefined {
  if (!ASCII.test(path)) {
    return undefined;
  }
  const slash = path.lastIndexOf('/', PREFIX_BYTES);
  const name = path.slice(slash + 1);
  return slash > 0 && name.length > 0 && name.length <= NAME_BYTES ? { prefix: path.slice(0, slash), name } : undefined;
}

/** `<length> <key>=<value>\n`, where length counts the whole record, itself included. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  length = bytes + String(length).length;
  return `${length}${rest}`;
}

/** The record's own name: Go puts `PaxHeaders.0` before the last name, cuts at 100 bytes and trims slashes (`Writer.writeRawFile`). */
function paxHeaderName(path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  const name = asciiOnly(`${path.slice(0, slash)}PaxHeaders.0/${path.slice(slash)}`);
  return name.slice(0, NAME_BYTES).replace(/\/+$/, '');
}

/** What a reader without PAX support sees; a cut that would end in a slash is ended before it (Go `formatter.formatString`). */
function fallbackName(path: string): string {
  const name = asciiOnly(path);
  const last = NAME_BYTES - 1;
  if (name.length <= NAME_BYTES || name[last] !== '/') {
    return name;
  }
  const end = name.slice(0, last).replace(/\/+$/, '').length;
  return `${name.slice(0, end)}\0${name.slice(end + 1)}`;
}

/** Drops what is not ASCII (Go `toASCII`). */
function asciiOnly(path: string): string {
  return path.replace(/\P{ASCII}/gu, '');
}
