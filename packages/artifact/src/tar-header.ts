/** POSIX ustar layout (IEEE Std 1003.1-2024, pax, "ustar Interchange Format"). */
export const BLOCK = 512;
export const NAME_BYTES = 100;
export const PREFIX_BYTES = 155;

export interface Field {
  readonly at: number;
  readonly length: number;
}

export const FIELD = {
  name: { at: 0, length: NAME_BYTES },
  mode: { at: 100, length: 8 },
  uid: { at: 108, length: 8 },
  gid: { at: 116, length: 8 },
  size: { at: 124, length: 12 },
  mtime: { at: 136, length: 12 },
  checksum: { at: 148, length: 8 },
  typeflag: { at: 156, length: 1 },
  magic: { at: 257, length: 8 },
  devmajor: { at: 329, length: 8 },
  devminor: { at: 337, length: 8 },
  prefix: { at: 345, length: PREFIX_BYTES },
} as const satisfies Record<string, Field>;

export const TYPEFLAG = { file: '0', directory: '5', extended: 'x' } as const;

/** `ustar`, NUL, version `00`. */
export const MAGIC = 'ustar\u000000';

/** Sum of the header's bytes with the checksum field taken as spaces. */
export function checksum(block: Uint8Array): number {
  const { at, length } = FIELD.checksum;
  return sum(block.subarray(0, at)) + 0x20 * length + sum(block.subarray(at + length));
}

function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => total + byte, 0);
}

/** Bytes between the end of `size` bytes of content and the next block. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
