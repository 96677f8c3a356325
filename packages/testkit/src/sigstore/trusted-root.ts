import type { SigningKey } from './keys.ts';

const OPERATOR = 'sigstore.test';

export interface RekorInstance {
  readonly url: string;
  readonly majorApiVersion: 1 | 2;
  readonly key: SigningKey;
}

/** What a client must know of the servers. */
export interface Services {
  readonly issuerUrl: string;
  readonly fulcioUrl: string;
  readonly ctLogUrl: string;
  readonly tsaUrl: string;
  readonly logs: readonly RekorInstance[];
  /** Intermediate, root. */
  readonly fulcioChain: readonly Buffer[];
  /** Leaf, intermediate, root. */
  readonly tsaChain: readonly Buffer[];
  readonly ctLogKey: SigningKey;
  readonly validFrom: Date;
}

/** TrustedRoot of sigstore/protobuf-specs (sigstore_trustroot.proto), as JSON text. */
export function trustedRoot(services: Services): string {
  const validFor = { start: services.validFrom.toISOString() };
  const authority = (uri: string, commonName: string, chain: readonly Buffer[]) => ({
    subject: { organization: OPERATOR, commonName },
    uri,
    certChain: { certificates: chain.map((certificate) => ({ rawBytes: certificate.toString('base64') })) },
    validFor,
  });
  const log = (baseUrl: string, key: SigningKey) => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: key.spki.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    logId: { keyId: key.id.toString('base64') },
  });
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: services.logs.map(({ url, key }) => log(url, key)),
    certificateAuthorities: [authority(services.fulcioUrl, 'fulcio', services.fulcioChain)],
    ctlogs: [log(services.ctLogUrl, services.ctLogKey)],
    timestampAuthorities: [authority(services.tsaUrl, 'timestamp authority', services.tsaChain)],
  });
}

/** SigningConfig v0.2 of sigstore/protobuf-specs (sigstore_trustroot.proto), as JSON text. */
export function signingConfig({ issuerUrl, fulcioUrl, tsaUrl, logs, validFrom }: Services): string {
  const service = (url: string, majorApiVersion: number) => ({
    url,
    majorApiVersion,
    validFor: { start: validFrom.toISOString() },
    operator: OPERATOR,
  });
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [service(fulcioUrl, 1)],
    oidcUrls: [service(issuerUrl, 1)],
    rekorTlogUrls: logs.map(({ url, majorApiVersion }) => service(url, majorApiVersion)),
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: [service(tsaUrl, 1)],
    tsaConfig: { selector: 'ANY' },
  });
}
