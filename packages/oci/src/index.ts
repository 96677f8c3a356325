export type { Credentials } from './authorizer.ts';
export { EMPTY_CONFIG, type Referrer, referrerManifest } from './bundle-manifest.ts';
export { type Challenge, parseChallenges } from './challenge.ts';
export { createRegistryClient, type RegistryClient } from './client.ts';
export { type ArtifactCopy, copyArtifact } from './copy.ts';
export { AnnotationsSchema, type Descriptor, DescriptorSchema, DigestSchema, descriptorOf } from './descriptor.ts';
export { initLayout, readBlob, readLayoutIndex, writeBlob, writeLayoutIndex } from './layout.ts';
export {
  type Index,
  IndexSchema,
  MANIFEST_MAX_BYTES,
  type Manifest,
  ManifestSchema,
  parseIndex,
  parseManifest,
} from './manifest.ts';
export { MEDIA_TYPE } from './media-types.ts';
export {
  formatReference,
  isRegistryHost,
  isTag,
  parseReference,
  parseRepository,
  type Reference,
  type Repository,
} from './reference.ts';
export { fallbackTag } from './referrers.ts';
export type { StoredReferrer } from './store-referrers.ts';
export type { RegistryOptions } from './transport.ts';
