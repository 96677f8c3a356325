export type { ClaimOverrides } from './oidc/github-claims.ts';
export { type IssuerOptions, startIssuer, type TestIssuer, type TokenRequest } from './oidc/issuer.ts';
export { startRegistry } from './registry/server.ts';
export type { StoredManifest } from './registry/store.ts';
export type {
  Action,
  Fault,
  LoggedRequest,
  OnRequest,
  RegistryAuth,
  RegistryOptions,
  TagWrite,
  TestRegistry,
} from './registry/types.ts';
export { type GithubEnvironment, githubEnvironment } from './runner/environment.ts';
export type { JsonObject } from './runner/event.ts';
export type { Annotation } from './runner/job-log.ts';
export { type ActionRun, type RunOptions, runAction } from './runner/run.ts';
export { createWorkspace, type Workspace, type WorkspaceOptions } from './runner/workspace.ts';
export { createCertificateAuthority, EKU, toPem } from './sigstore/ca.ts';
export { generateSigningKey, type SigningKey } from './sigstore/keys.ts';
export type { Misbehaviour } from './sigstore/misbehaviour.ts';
export {
  type IncomingRequest,
  type SigstoreFault,
  type SigstoreOptions,
  type SigstoreRequest,
  startSigstore,
  type TestSigstore,
} from './sigstore/server.ts';
export { type RekorInstance, type Services, signingConfig, trustedRoot } from './sigstore/trusted-root.ts';
export { issueTimestampCertificate } from './sigstore/tsa.ts';
