import { createHash } from 'node:crypto';
import { UserError } from './errors.ts';

/** `sha256:` and 64 lower-case hex digits: the only algorithm that the suite writes (OCI image-spec, descriptor.md "Digests"). */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isDigest(value: string): value is Digest {
  return DIGEST.test(value);
}

export function sha256(data: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

/** The 64 hex digits after `sha256:`. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** Throws `BAD_DIGEST`, naming `field`, unless `value` is a complete SHA-256 digest. */
export function parseDigest(field: string, value: string): Digest {
  if (!isDigest(value)) {
    throw new UserError({
      code: 'BAD_DIGEST',
      what: `${field} is ${JSON.stringify(value)}, which is not a digest`,
      fix: 'give sha256: followed by 64 lower-case hex digits',
    });
  }
  return value;
}
