import { UserError } from '@gitless/core';
import { compare, parse } from 'semver';

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
  const parsed = /^v?\d/.test(tag) ? parse(tag) : null;
  return parsed !== null && parsed.build.length === 0 && parsed.version === tag.replace(/^v/, '');
}

/** Precedence by SemVer 2.0.0 §11: negative when `a` is lower than `b`. Both must be versions. */
export function compareVersions(a: string, b: string): number {
  return compare(a, b);
}
