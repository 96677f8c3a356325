import { type Digest, UserError } from '@gitless/core';
import type { Promotion } from './promotion-record.ts';
import { compareVersions } from './version.ts';

/** What a channel points to, and the version that its verified promotion statement names. */
export interface ChannelState {
  readonly digest: Digest;
  readonly version?: string;
}

export interface ChannelMove {
  readonly channel: string;
  readonly version: string;
  readonly digest: Digest;
  /** `undefined` when the channel does not exist. */
  readonly current: ChannelState | undefined;
  readonly expectedCurrent: string | undefined;
}

/** The highest version that verified promotion statements about one digest name for `channel`. */
export function promotedVersion(records: readonly Promotion[], channel: string): string | undefined {
  return records
    .filter((record) => record.channel === channel)
    .map((record) => record.version)
    .sort(compareVersions)
    .at(-1);
}

/**
 * Whether a channel may move (invariant 9): never to a lower version, never away from a digest of unknown version unless the caller
 * names that digest. Throws `CHANNEL_CHANGED`, `CHANNEL_UNPROVEN`, `VERSION_LOWER` or `VERSION_TAKEN`.
 */
export function requireMove(move: ChannelMove): void {
  const { channel, version, digest, current, expectedCurrent } = move;
  if (expectedCurrent !== undefined && expectedCurrent !== current?.digest) {
    throw new UserError({
      code: 'CHANNEL_CHANGED',
      what: `${channel} does not point to what was expected`,
      details: [`expected ${expectedCurrent}`, `seen ${current?.digest ?? 'no such tag'}`],
      fix: 'look at what moved it, run the preview again and approve the digest that it shows',
    });
  }
  if (current === undefined || current.digest === digest) {
    return;
  }
  if (current.version === undefined) {
    if (expectedCurrent === undefined) {
      throw new UserError({
        code: 'CHANNEL_UNPROVEN',
        what: `${channel} points to ${current.digest}, of which no verified promotion tells the version`,
        why: 'whether this promotion goes forwards or backwards cannot be told',
        fix: `if it is right to replace it, give expected-current: ${current.digest}`,
      });
    }
    return;
  }
  const order = compareVersions(version, current.version);
  if (order < 0) {
    throw new UserError({
      code: 'VERSION_LOWER',
      what: `${channel} is at ${current.version}; ${version} is lower`,
      why: 'a channel never goes backwards by accident',
      fix: 'promote a higher version',
    });
  }
  if (order === 0) {
    throw new UserError({
      code: 'VERSION_TAKEN',
      what: `${channel} is already at ${current.version} with another digest`,
      details: [`seen ${current.digest}`, `wanted ${digest}`],
      fix: 'a version is one digest for ever: choose a higher version',
    });
  }
}
