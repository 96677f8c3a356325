export { ANNOTATION, type ArtifactDescription, artifactAnnotations } from './annotations.ts';
export { type Blob, fluxManifest, packContent } from './flux-artifact.ts';
export { gunzip, gzip } from './gzip.ts';
export { DEFAULT_TAR_LIMITS, readTar, type TarLimits } from './read-tar.ts';
export { applySourceIgnore } from './source-ignore.ts';
export { type TarEntry, type TreeFile, treeEntries, treeFiles } from './tar-entry.ts';
export { readTree } from './tree.ts';
export { writeTar } from './write-tar.ts';
