export type { TrustedRoot } from '@sigstore/protobuf-specs';
export type { CertificateFacts } from './certificate.ts';
export { requireSafeServices, type SigningServices, servicesFromSigningConfig } from './services.ts';
export { createSigner, type SignedStatement, type Signer, type SignerOptions } from './signer.ts';
export { fluxTrustedRoot, parseTrustedRoot } from './trusted-root.ts';
export { type Expectation, type VerifiedStatement, verifyBundle } from './verify.ts';
