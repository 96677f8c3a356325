import { gunzipSync } from 'node:zlib';
import { errorMessage, UserError } from '@gitless/core';
import { gzipSync } from 'fflate';

/**
 * Compresses with a pinned compressor at a fixed level, without name and time: the same input gives the same bytes on
 * every runner and Node release, which the runtime's zlib does not promise (RFC 1952; design: invariant 2).
 */
export function gzip(bytes: Uint8Array): Uint8Array {
  return gzipSync(bytes, { level: 6, mtime: 0 });
}

/**
 * Inflates at most `maxBytes`, and stops as soon as there is more. The runtime's zlib may do this: unlike compression,
 * inflation has one right result, and zlib checks length and CRC-32.
 * Throws `GZIP_REFUSED` when `bytes` are not complete gzip (RFC 1952) or inflate to more than `maxBytes`.
 */
export function gunzip(bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    throw new UserError({
      code: 'GZIP_REFUSED',
      what: `the content is not gzip of at most ${maxBytes} bytes`,
      why: errorMessage(error),
      fix: 'build it again; content is inflated up to a limit, so that a hostile archive cannot exhaust the runner',
    });
  }
}
