import { type Descriptor, EMPTY_CONFIG, referrerManifest, type StoredReferrer } from '@gitless/oci';

/** Says nothing but who wrote it; its only blob is the empty one. */
export function referrerOf(subject: Descriptor, writer: string): StoredReferrer {
  const artifactType = 'application/vnd.example.note';
  return referrerManifest({ subject, artifactType, layer: EMPTY_CONFIG.descriptor, annotations: { writer } });
}
