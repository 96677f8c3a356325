import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, type Digest, hexOf, parseJsonWith, sha256, UserError } from '@gitless/core';
import * as v from 'valibot';
import type { Descriptor } from './descriptor.ts';
import { MANIFEST_MAX_BYTES, parseIndex } from './manifest.ts';
import { MEDIA_TYPE } from './media-types.ts';

const LAYOUT_FILE = 'oci-layout';
const INDEX_FILE = 'index.json';
const REF_NAME = 'org.opencontainers.image.ref.name';

const LayoutMarker = v.object({ imageLayoutVersion: v.literal('1.0.0') });

/** Makes `dir` an image layout (image-spec `image-layout.md`) with an empty index, or leaves the one that is there. */
export async function initLayout(dir: string): Promise<void> {
  await mkdir(join(dir, 'blobs', 'sha256'), { recursive: true });
  if ((await readRegularFile(join(dir, LAYOUT_FILE), MANIFEST_MAX_BYTES)).kind === 'missing') {
    await replaceFile(dir, LAYOUT_FILE, canonicalJson({ imageLayoutVersion: '1.0.0' }));
  }
  if ((await readRegularFile(join(dir, INDEX_FILE), MANIFEST_MAX_BYTES)).kind === 'missing') {
    await writeLayoutIndex(dir, []);
  }
}

/** Stores `bytes` under their digest by rename; a blob that is there with this content is left alone. */
export async function writeBlob(dir: string, bytes: Uint8Array): Promise<Digest> {
  const digest = sha256(bytes);
  const present = await readRegularFile(blobPath(dir, digest), bytes.byteLength);
  if (present.kind !== 'read' || sha256(present.bytes) !== digest) {
    await replaceFile(dir, join('blobs', 'sha256', hexOf(digest)), bytes);
  }
  return digest;
}

/**
 * The blob of `descriptor`, of exactly its size and digest. Symbolic links are not followed.
 * Throws `LAYOUT_BLOB_MISSING` or `LAYOUT_BLOB_CHANGED`.
 */
export async function readBlob(dir: string, descriptor: Descriptor): Promise<Uint8Array> {
  const file = await readRegularFile(blobPath(dir, descriptor.digest), descriptor.size);
  if (file.kind === 'missing') {
    throw new UserError({
      code: 'LAYOUT_BLOB_MISSING',
      what: `the image layout lacks blob ${descriptor.digest} (${descriptor.mediaType})`,
      fix: 'run the step that writes the layout again',
    });
  }
  if (file.kind === 'refused') {
    throw blobChanged(descriptor, file.why);
  }
  if (file.bytes.byteLength !== descriptor.size) {
    throw blobChanged(descriptor, `it has ${file.bytes.byteLength} bytes, its descriptor says ${descriptor.size}`);
  }
  const actual = sha256(file.bytes);
  if (actual !== descriptor.digest) {
    throw blobChanged(descriptor, `its content has digest ${actual}`);
  }
  return file.bytes;
}

/** The descriptors that the layout's `index.json` lists. Throws `LAYOUT_INVALID` or `BAD_INDEX`. */
export async function readLayoutIndex(dir: string): Promise<Descriptor[]> {
  const marker = await readLayoutFile(dir, LAYOUT_FILE);
  parseJsonWith(LayoutMarker, marker, {
    code: 'LAYOUT_INVALID',
    where: LAYOUT_FILE,
    fix: 'run package again and let nothing else write to the layout',
  });
  return parseIndex(await readLayoutFile(dir, INDEX_FILE), `the image layout's ${INDEX_FILE}`).manifests;
}

/**
 * Replaces `index.json` by rename: call it last, so that an interrupted step leaves the former state readable.
 * Sorted by `org.opencontainers.image.ref.name`, artifact type and digest; canonical JSON.
 */
export async function writeLayoutIndex(dir: string, descriptors: readonly Descriptor[]): Promise<void> {
  const manifests = descriptors
    .map((descriptor) => ({ key: sortKey(descriptor), descriptor }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ descriptor }) => descriptor);
  await replaceFile(dir, INDEX_FILE, canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.imageIndex, manifests }));
}

function sortKey(descriptor: Descriptor): string {
  return [descriptor.annotations?.[REF_NAME] ?? '', descriptor.artifactType ?? '', descriptor.digest].join('\0');
}

function blobPath(dir: string, digest: Digest): string {
  return join(dir, 'blobs', 'sha256', hexOf(digest));
}

function blobChanged(descriptor: Descriptor, why: string): UserError {
  return new UserError({
    code: 'LAYOUT_BLOB_CHANGED',
    what: `blob ${descriptor.digest} in the image layout is not what was written`,
    why,
    fix: 'run the step that writes the layout again; if it happens twice, find out what else writes to that directory',
  });
}

async function readLayoutFile(dir: string, name: string): Promise<Uint8Array> {
  const file = await readRegularFile(join(dir, name), MANIFEST_MAX_BYTES);
  if (file.kind === 'read') {
    return file.bytes;
  }
  throw new UserError({
    code: 'LAYOUT_INVALID',
    what: `${dir} is not an OCI image layout`,
    why: file.kind === 'missing' ? `it has no file ${name}` : `${name}: ${file.why}`,
    fix: 'run the step that writes the layout first, and give its directory',
  });
}

type FileRead =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly why: string };

/** O_NONBLOCK: opening a pipe that someone put there must not hang. */
async function readRegularFile(path: string, maxBytes: number): Promise<FileRead> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') {
      return { kind: 'missing' };
    }
    if (code === 'ELOOP') {
      return { kind: 'refused', why: 'it is a symbolic link' };
    }
    throw error;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) {
      return { kind: 'refused', why: 'it is not a regular file' };
    }
    if (stat.size > maxBytes) {
      return { kind: 'refused', why: `it has ${stat.size} bytes, at most ${maxBytes} are expected` };
    }
    return { kind: 'read', bytes: await handle.readFile() };
  } finally {
    await handle.close();
  }
}

/** Writes beside the target and renames, so that a reader sees the old or the new content and nothing between. */
async function replaceFile(dir: string, name: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dir, `.${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, 'wx', 0o644);
    try {
      await handle.writeFile(content);
    } finally {
      await handle.close();
    }
    await rename(temporary, join(dir, name));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
