import { type Digest, errorMessage, isDigest, PREDICATE, parseJsonWith } from '@gitless/core';
import { parseTrustedRoot, type VerifiedStatement, verifyBundle } from '@gitless/signing';
import type { TestRegistry } from '@gitless/testkit';
import * as v from 'valibot';
import { expect } from './expect.ts';

export interface Signers {
  readonly issuer: string;
  readonly shipper: string;
  readonly promoter: string;
}

/** A bundle of the registry that verifies. */
export interface Evidence {
  /** Who says what, such as `promoter-signature`. */
  readonly name: string;
  readonly bundle: Uint8Array;
  readonly verified: VerifiedStatement;
}

const ReferrerSchema = v.object({ layers: v.tuple([v.object({ digest: v.custom<Digest>(isText) })]) });

function isText(value: unknown): boolean {
  return typeof value === 'string' && isDigest(value);
}

/**
 * Verifies every referrer of `digest` that `repository` holds, against the trusted root alone: certificate chain, signed certificate
 * timestamp, log inclusion, RFC 3161 timestamp, subject, identity. Asks no service. Throws when one does not verify.
 */
export function verifyReferrers(
  registry: TestRegistry,
  place: { readonly repository: string; readonly digest: Digest },
  trustedRoot: string,
  signers: Signers,
): Evidence[] {
  const root = parseTrustedRoot(Buffer.from(trustedRoot), 'trusted_root.json');
  const referrers = registry.manifests(place.repository).filter(({ subject }) => subject === place.digest);
  return referrers.map(({ bytes, digest }) => {
    const where = `referrer ${digest}`;
    const [layer] = parseJsonWith(ReferrerSchema, bytes, { code: 'BAD_MANIFEST', where }).layers;
    const bundle = registry.blob(layer.digest);
    expect(bundle !== undefined, `the registry lacks the bundle of ${where}`);
    const failures: string[] = [];
    for (const by of ['shipper', 'promoter'] as const) {
      try {
        const expected = { digest: place.digest, issuer: signers.issuer, subject: signers[by] };
        const verified = verifyBundle(root, bundle, expected);
        return { name: `${by}-${predicateName(verified.statement.predicateType)}`, bundle, verified };
      } catch (error) {
        failures.push(`${by}: ${errorMessage(error)}`);
      }
    }
    throw new Error(`${where} in ${place.repository} does not verify: ${failures.join('; ')}`);
  });
}

function predicateName(type: string): string {
  return Object.entries(PREDICATE).find(([, value]) => value === type)?.[0] ?? 'unknown';
}
