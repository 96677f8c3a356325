import { sha256 } from '@gitless/core';
import * as v from 'valibot';
import { startRegistry } from './server.ts';
import type { RegistryOptions, TestRegistry } from './types.ts';

// What the tests of the registry share. Plain fetch: the registry is not judged by the client that it judges.

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';
export const EMPTY = new TextEncoder().encode('{}');
export const EMPTY_CONFIG = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: sha256(EMPTY),
  size: EMPTY.length,
};

export type Started = TestRegistry & { readonly at: (path: string) => string };

const open: TestRegistry[] = [];

/** Starts a registry that `closeAll` closes; `at` gives the URL of a path. */
export async function start(options?: RegistryOptions): Promise<Started> {
  const registry = await startRegistry(options);
  open.push(registry);
  return Object.assign(registry, { at: (path: string) => `http://${registry.host}${path}` });
}

export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((registry) => registry.close()));
}

export async function pushBlob(registry: Started, repository: string, content: Uint8Array): Promise<Response> {
  const url = registry.at(`/v2/${repository}/blobs/uploads/?digest=${sha256(content)}`);
  return await fetch(url, { method: 'POST', body: Buffer.from(content) });
}

/** An image manifest whose config and layer are the empty descriptor. */
export function image(members: object = {}): string {
  const layers = [EMPTY_CONFIG];
  return JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: EMPTY_CONFIG, layers, ...members });
}

export async function putManifest(registry: Started, path: string, body: string, type = MANIFEST): Promise<Response> {
  return await fetch(registry.at(`/v2/${path}`), { method: 'PUT', body, headers: { 'content-type': type } });
}

/** The codes of an error body. */
export async function codes(response: Response): Promise<unknown[]> {
  const { errors } = v.parse(ErrorBodySchema, await response.json());
  return errors.map((error) => error.code);
}

const ErrorBodySchema = v.strictObject({
  errors: v.array(v.strictObject({ code: v.string(), message: v.string(), detail: v.exactOptional(v.unknown()) })),
});
