import { URI_BASE } from './names.ts';

/** Predicate types of everything the suite signs (design: "The artifact"). Once signed they never change. */
export const PREDICATE = {
  /** What `cosign sign` v3 writes (cosign `pkg/types/predicate.go`). */
  signature: 'https://sigstore.dev/cosign/sign/v1',
  /** SLSA provenance v1 (slsa.dev/spec/v1.2/provenance). */
  provenance: 'https://slsa.dev/provenance/v1',
  /** CycloneDX in in-toto (in-toto/attestation `spec/predicates/cyclonedx.md`). */
  sbom: 'https://cyclonedx.org/bom',
  /** in-toto/attestation `spec/predicates/test-result.md`. */
  checks: 'https://in-toto.io/attestation/test-result/v0.1',
  promotion: `${URI_BASE}attestations/promotion/v1`,
} as const;

export type PredicateType = (typeof PREDICATE)[keyof typeof PREDICATE];

/** Without these no tag moves. */
export const REQUIRED_PREDICATES: readonly PredicateType[] = [
  PREDICATE.signature,
  PREDICATE.provenance,
  PREDICATE.sbom,
];
