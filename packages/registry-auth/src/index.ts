export { connectRegistry } from './connect.ts';
export type { CredentialsRequest } from './resolve-credentials.ts';
