import { EMPTY_CONFIG } from './bundle-manifest.ts';
import { createRegistryClient, type RegistryClient } from './client.ts';
import { descriptorOf } from './descriptor.ts';
import { MEDIA_TYPE } from './media-types.ts';
import { type Handler, testContext, withServer } from './test-support.ts';

export const REPOSITORY = 'acme/web';
export const blob = Buffer.from('blob');
export const blobDescriptor = descriptorOf(MEDIA_TYPE.fluxContent, blob);
/** A manifest with {@link blob} as its layer. */
export const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.imageManifest,
    config: EMPTY_CONFIG.descriptor,
    layers: [blobDescriptor],
  }),
);
export const subject = descriptorOf(MEDIA_TYPE.imageManifest, manifest);

export function connect(registry: string, retries?: number): RegistryClient {
  return createRegistryClient(testContext(retries), { registry, credentials: { kind: 'anonymous' }, plainHttp: true });
}

export function withClient(handler: Handler, work: (client: RegistryClient) => Promise<void>): Promise<void> {
  return withServer(handler, (registry) => work(connect(registry)));
}
