import { UserError } from '@gitless/core';
import { compare } from 'semver';

/** An OCI tag is no longer (distribution-spec, "Pulling manifests"). */
export const MAX_VERSION_LENGTH = 128;

/**
 * The grammar of semver.org without build metadata, and numbers of at most 15 digits: what is beyond 2^53 cannot be compared. One
 * expression for the code and for the published schema of the promotion record.
 */
export const VERSION =
  /^v?(?:0|[1-9]\d{0,14})(?:\.(?:0|[1-9]\d{0,14})){2}(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?$/;

/**
 * A version tag: SemVer 2.0.0, with or without a leading `v`. Build metadata is refused: `+` cannot be part of an OCI tag
 * (distribution-spec, "Pulling manifests"). Returns the tag as given. Throws `BAD_VERSION`.
 */
export function parseVersion(text: string): string {
  if (!isVersion(text)) {
    throw new UserError({
      code: 'BAD_VERSION',
      what: `${JSON.stringify(text)} is not a version`,
      fix: 'give a SemVer version such as v1.2.3 or v1.3.0-rc.1, without build metadata',
    });
  }
  return text;
}

/** Whether a tag reads as a version, and therefore belongs to `promote` alone. */
export function isVersion(tag: string): boolean {
  return tag.length <= MAX_VERSION_LENGTH && VERSION.test(tag);
}

/** Precedence by SemVer 2.0.0 §11: negative when `a` is lower than `b`. Both must be versions. */
export function compareVersions(a: string, b: string): number {
  return compare(a, b);
}
