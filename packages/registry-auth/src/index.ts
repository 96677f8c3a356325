export { connectRegistry } from './connect.ts';
export { type DockerAuths, readDockerConfig } from './docker-config.ts';
export { type CredentialsRequest, type ResolvedCredentials, resolveCredentials } from './resolve-credentials.ts';
