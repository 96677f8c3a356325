import { type Build, UserError } from '@gitless/core';
import { isTag } from '@gitless/oci';
import { isVersion } from '@gitless/promotion';
import type { Config } from './config-schema.ts';
import { requireSettings } from './policy.ts';

type Channels = Config['channels'];

/** The write-once tag that keeps a candidate from the clean-up of untagged manifests: `b-<12 digits of the commit>-<run id>`. */
export function buildTag(build: Build): string {
  return `b-${build.sha.slice(0, 12)}-${build.runId}`;
}

/** Who may write a channel: as `channels` says, else `stable` belongs to promote and every other name to push (invariant 12). */
export function channelOwner(channels: Channels, tag: string): 'push' | 'promote' {
  return channels?.[tag]?.by ?? (tag === 'stable' ? 'promote' : 'push');
}

/** The tags that `push` moves: the input, else the channels with `by: push`, else `latest`. Throws `TAG_REFUSED` naming all that it may not write. */
export function pushTags(input: readonly string[], channels: Channels): string[] {
  const own = Object.entries(channels ?? {}).flatMap(([name, { by }]) => (by === 'push' ? [name] : []));
  const tags = input.length > 0 ? input : own.length > 0 ? own : ['latest'];
  const faults = [...new Set(tags)].flatMap((tag) => {
    const why = refusalForPush(tag, channels);
    return why === undefined ? [] : [`${tag}: ${why}`];
  });
  if (faults.length > 0) {
    throw new UserError({
      code: 'TAG_REFUSED',
      what: 'push may not write these tags',
      details: faults,
      fix: 'let push write a channel such as latest, and promote write versions and stable',
    });
  }
  return [...new Set(tags)];
}

/** What the workflow file must say itself for `push` on another ref than the default branch. */
export interface OtherRefInputs {
  readonly tags: readonly string[];
  readonly identity: string | undefined;
  readonly issuer: string | undefined;
}

/**
 * As {@link pushTags} on another ref than the default branch (invariant 12): tags, identity and issuer are written in the workflow file, and
 * no channel of the default branch is among them. `config` is this ref's file: it can only take channels away here, never give one.
 * Throws `SETTING_MISSING` or `TAG_REFUSED`.
 */
export function otherRefTags(inputs: OtherRefInputs, config: Config | undefined): string[] {
  requireSettings('push on this ref', [
    ['tags', inputs.tags.length > 0 ? inputs.tags : undefined],
    ['identity', inputs.identity],
    ['issuer', inputs.issuer],
  ]);
  const reserved = new Set(['latest', ...Object.keys(config?.channels ?? {})]);
  const taken = inputs.tags.filter((tag) => reserved.has(tag));
  if (taken.length > 0) {
    throw new UserError({
      code: 'TAG_REFUSED',
      what: `${taken.join(', ')} belongs to the default branch`,
      why: 'a cluster that follows it would get what was not merged',
      fix: 'give this ref a channel of its own, such as next',
    });
  }
  return pushTags(inputs.tags, undefined);
}

function refusalForPush(tag: string, channels: Channels): string | undefined {
  return (
    malformedOrReserved(tag) ??
    (looksLikeVersion(tag) ? 'is a version, which only promote writes' : undefined) ??
    (channelOwner(channels, tag) === 'promote' ? 'is a channel that promote owns' : undefined)
  );
}

/** Throws `TAG_REFUSED` unless `promote` may write the channel. */
export function requirePromotable(channel: string, channels: Channels): string {
  const why =
    malformedOrReserved(channel) ??
    (looksLikeVersion(channel) ? 'is a version, not a channel' : undefined) ??
    (channelOwner(channels, channel) === 'push' ? 'is a channel that push owns' : undefined);
  if (why !== undefined) {
    throw new UserError({
      code: 'TAG_REFUSED',
      what: `promote may not write the channel ${JSON.stringify(channel)}: it ${why}`,
      fix: 'name a channel with `by: promote` in gitless.yaml, or stable',
    });
  }
  return channel;
}

/** Also what only a laxer reader takes for a version, such as a number beyond 2^53: Flux follows a range over all tags. */
function looksLikeVersion(tag: string): boolean {
  return isVersion(tag) || /^v?\d+\.\d+\.\d+(?:-|$)/i.test(tag);
}

function malformedOrReserved(tag: string): string | undefined {
  if (!isTag(tag)) {
    return 'is not a tag: up to 128 letters, digits, "_", "." or "-", not starting with "." or "-"';
  }
  if (/^b-/.test(tag)) {
    return 'is reserved for build tags';
  }
  return /^sha\d+-/.test(tag) ? 'is reserved for referrers' : undefined;
}
