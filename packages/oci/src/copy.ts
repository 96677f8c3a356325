import { sha256, UserError } from '@gitless/core';
import type { RegistryClient } from './client.ts';
import type { Descriptor } from './descriptor.ts';
import { parseManifest } from './manifest.ts';

export interface ArtifactCopy {
  readonly source: RegistryClient;
  readonly sourceRepository: string;
  readonly target: RegistryClient;
  readonly targetRepository: string;
  /** As it was read from the source. */
  readonly manifest: { readonly descriptor: Descriptor; readonly bytes: Uint8Array };
}

/**
 * Copies an artifact by digest, never changing a byte: the blobs that the target lacks (mounted within one registry),
 * then the manifest. Tags and referrers are the caller's.
 * Throws `MANIFEST_MISMATCH`, `BAD_MANIFEST` and what the two clients throw.
 */
export async function copyArtifact(copy: ArtifactCopy): Promise<void> {
  const { source, sourceRepository, target, targetRepository } = copy;
  const { descriptor, bytes } = copy.manifest;
  if (sha256(bytes) !== descriptor.digest) {
    throw new UserError({
      code: 'MANIFEST_MISMATCH',
      what: `the manifest to copy from ${source.registry}/${sourceRepository} is not what it should be`,
      why: `its content does not have digest ${descriptor.digest}`,
      fix: 'do not use it; find out whether a proxy or the registry changes content',
    });
  }
  const manifest = parseManifest(bytes, `${source.registry}/${sourceRepository}@${descriptor.digest}`);
  const mountFrom = source.registry === target.registry ? sourceRepository : undefined;
  for (const blob of [manifest.config, ...manifest.layers]) {
    const content = () => source.getBlob(sourceRepository, blob);
    await target.putBlob(targetRepository, content, blob.digest, mountFrom);
  }
  await target.putManifest(targetRepository, descriptor.digest, descriptor.mediaType, bytes);
}
