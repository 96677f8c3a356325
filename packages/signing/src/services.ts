import { isLoopback, parseJsonWith, UserError } from '@gitless/core';
import * as v from 'valibot';

/** The three services that a keyless signature with a Rekor v2 entry needs. */
export interface SigningServices {
  readonly fulcioUrl: string;
  readonly rekorUrl: string;
  readonly tsaUrl: string;
}

const ServiceSchema = v.object({
  url: v.pipe(v.string(), v.url()),
  majorApiVersion: v.number(),
  validFor: v.object({
    start: v.pipe(v.string(), v.isoTimestamp()),
    end: v.exactOptional(v.pipe(v.string(), v.isoTimestamp())),
  }),
});

/** SigningConfig v0.2 (sigstore/protobuf-specs `sigstore_trustroot.proto`), as far as it is used. */
const SigningConfigSchema = v.object({
  mediaType: v.literal('application/vnd.dev.sigstore.signingconfig.v0.2+json'),
  caUrls: v.array(ServiceSchema),
  rekorTlogUrls: v.array(ServiceSchema),
  tsaUrls: v.array(ServiceSchema),
});

type Service = v.InferOutput<typeof ServiceSchema>;

/** API versions that the suite speaks. */
const SPOKEN = { caUrls: 1, rekorTlogUrls: 2, tsaUrls: 1 } as const;

/**
 * The services of a signing config that are valid at `now` and speak our API version; of several, the one that became valid last
 * (sigstore/architecture-docs "client-spec"; sigstore-go `pkg/root/signing_config.go` SelectServices).
 * Throws `BAD_SIGNING_CONFIG`.
 */
export function servicesFromSigningConfig(json: Uint8Array, where: string, now: Date): SigningServices {
  const config = parseJsonWith(SigningConfigSchema, json, {
    code: 'BAD_SIGNING_CONFIG',
    where,
    fix: 'give the signing config (v0.2) of the instance that is to sign, or fulcio-url, rekor-url and tsa-url',
  });
  return {
    fulcioUrl: select(config.caUrls, 'caUrls', where, now),
    rekorUrl: select(config.rekorTlogUrls, 'rekorTlogUrls', where, now),
    tsaUrl: select(config.tsaUrls, 'tsaUrls', where, now),
  };
}

function select(services: readonly Service[], field: keyof typeof SPOKEN, where: string, now: Date): string {
  const usable = services
    .filter((service) => service.majorApiVersion === SPOKEN[field])
    .filter(
      ({ validFor }) => new Date(validFor.start) <= now && (validFor.end === undefined || now < new Date(validFor.end)),
    )
    .sort((a, b) => Date.parse(b.validFor.start) - Date.parse(a.validFor.start));
  const chosen = usable[0];
  if (chosen === undefined) {
    throw new UserError({
      code: 'BAD_SIGNING_CONFIG',
      what: `${where} names no usable service under ${field}`,
      why: `wanted: majorApiVersion ${SPOKEN[field]} and a validity that covers ${now.toISOString()}; seen: ${services.length} service(s)`,
      fix: 'use the signing config of the instance that is to sign, or give fulcio-url, rekor-url and tsa-url',
    });
  }
  return chosen.url;
}

/** Throws `SERVICE_NOT_HTTPS` for the first receiver of a token or a signature that is neither https nor loopback (invariant 5). */
export function requireSafeServices(services: SigningServices): void {
  for (const address of Object.values(services)) {
    const url = new URL(address);
    if (url.protocol !== 'https:' && !isLoopback(url.hostname)) {
      throw new UserError({
        code: 'SERVICE_NOT_HTTPS',
        what: `${url.origin} is not https`,
        why: 'the OIDC token or the signature would travel in clear',
        fix: 'give the https address of the service',
      });
    }
  }
}
