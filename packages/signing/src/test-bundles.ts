import { createHash } from 'node:crypto';
import { UserError } from '@gitless/core';
import { addLogEntry } from './rekor.ts';
import { newKey, signSha256, type World } from './test-support.ts';
import { requestTimestamp } from './timestamp-authority.ts';

type Path = readonly (string | number)[];

export const ENTRY = ['verificationMaterial', 'tlogEntries', 0] as const;

/** The code of what is thrown, which must be a user's error, and all that it tells. */
export function refusal(work: () => unknown): { code: string; text: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) {
      return { code: error.code, text: JSON.stringify(error.problem) };
    }
    throw error;
  }
  return { code: 'none', text: '' };
}

type JsonObject = { [name: string]: unknown };

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}

/** A bundle with the member at `path` replaced; `undefined` removes it. */
export function changed(base: Uint8Array, path: Path, value: unknown): Buffer {
  const bundle: unknown = JSON.parse(Buffer.from(base).toString());
  let target = bundle;
  for (const name of path.slice(0, -1)) {
    target = isObject(target) ? target[name] : undefined;
  }
  if (!isObject(target)) {
    throw new Error(`no such member: ${path.join('.')}`);
  }
  target[path.at(-1) ?? ''] = value;
  return Buffer.from(JSON.stringify(bundle));
}

/** The member at `path`. */
export function at(base: Uint8Array, path: Path): unknown {
  return path.reduce<unknown>(
    (value, name) => (isObject(value) ? value[name] : undefined),
    JSON.parse(Buffer.from(base).toString()),
  );
}

/** Where a bundle has members, containers included. */
export function memberPaths(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const own = path.length === 0 ? [] : [path];
  return isObject(value)
    ? [...own, ...Object.entries(value).flatMap(([name, member]) => memberPaths(member, [...path, name]))]
    : own;
}

/** A signature by a fresh key over `toSign`, its certificate, and what logs and wraps it: everything but the bundle's content. */
export async function signByHand(world: World, toSign: Uint8Array) {
  const key = newKey();
  const certificate = await world.certificateFor(key.privateKey);
  const signature = signSha256(key.privateKey, toSign);
  const digest = createHash('sha256').update(toSign).digest();
  const log = async (leaf: Uint8Array) =>
    addLogEntry(world.context, { rekorUrl: world.services.rekorUrl, digest, signature, certificate: leaf });
  const timestamp = await requestTimestamp(world.context, world.services.tsaUrl, signature);
  const bundle = (tlogEntries: readonly unknown[], content: object) =>
    Buffer.from(
      JSON.stringify({
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: {
          certificate: { rawBytes: certificate.toString('base64') },
          tlogEntries,
          timestampVerificationData: {
            rfc3161Timestamps: [{ signedTimestamp: Buffer.from(timestamp).toString('base64') }],
          },
        },
        ...content,
      }),
    );
  return { key, certificate, signature, digest, log, bundle };
}
