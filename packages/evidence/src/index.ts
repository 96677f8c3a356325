export { type FoundImage, findImages, type ImageOccurrence, type ManifestObject } from './images.ts';
export {
  BUILD_TYPE,
  completeProvenance,
  type Provenance,
  type ProvenanceInput,
  ProvenanceSchema,
  provenancePredicate,
  type SignedContent,
  signedContent,
} from './provenance.ts';
export { cyclonedxSbom, type SbomFile, type SbomInput, type SbomObject } from './sbom.ts';
export { type PassedCheck, type TestResult, TestResultSchema, testResultPredicate } from './test-result.ts';
export type { Tool } from './tool.ts';
