import {
  allBounded,
  type Context,
  type Digest,
  errorMessage,
  PREDICATE,
  type Statement,
  UserError,
} from '@gitless/core';
import { BUILD_TYPE, ProvenanceSchema, signedContent, TestResultSchema } from '@gitless/evidence';
import { type Descriptor, MEDIA_TYPE, parseManifest, type RegistryClient } from '@gitless/oci';
import { PromotionSchema } from '@gitless/promotion';
import { type Expectation, type TrustedRoot, type VerifiedStatement, verifyBundle } from '@gitless/signing';
import * as v from 'valibot';

/** An identity that may sign, without the digest. */
export type Identity = Omit<Expectation, 'digest'>;

/** A referrer with the Sigstore bundle that is its only layer. */
export interface BundleReferrer {
  readonly descriptor: Descriptor;
  readonly manifest: Uint8Array;
  readonly bundle: Uint8Array;
}

/** A referrer that verifies for one of the expected identities. */
export interface VerifiedReferrer extends BundleReferrer {
  readonly verified: VerifiedStatement;
}

export interface ArtifactEvidence {
  readonly referrers: readonly VerifiedReferrer[];
  /** Bundles that prove nothing to us, and why: by someone else, broken, or about something else. */
  readonly rejected: readonly { readonly digest: Digest; readonly code: string; readonly reason: string }[];
}

/** How Flux and cosign tell a bundle: by the layer, not by the artifact type (cosign `pkg/oci/remote/signatures.go`). */
const BUNDLE_MEDIA_TYPE_PREFIX = 'application/vnd.dev.sigstore.bundle';
const MAX_PARALLEL = 8;
const MAX_REFERRERS = 200;
/** Our largest holds an SBOM of 50,000 files in base64. */
const MAX_BUNDLE_BYTES = 128 * 1024 * 1024;

interface Trust {
  readonly root: TrustedRoot;
  readonly identities: readonly Identity[];
}

/**
 * Reads all bundles that refer to a digest from the registry and verifies each, but for `known` ones, which this trust verified before: a
 * digest names the same bytes wherever it lies. What cannot be read is an error, never "not signed" (invariant 4). Throws `TOO_MANY_REFERRERS` and what the registry client throws.
 */
export async function readEvidence(
  context: Context,
  client: RegistryClient,
  where: { readonly repository: string; readonly digest: Digest },
  trust: Trust,
  known: readonly VerifiedReferrer[] = [],
): Promise<ArtifactEvidence> {
  const verified = new Map(known.map((referrer) => [referrer.descriptor.digest, referrer]));
  // Every referrer is read: go-containerregistry lists the config's media type as the artifact type of a bundle.
  const listed = await client.listReferrers(where.repository, where.digest);
  if (listed.length > MAX_REFERRERS) {
    throw new UserError({
      code: 'TOO_MANY_REFERRERS',
      what: `${listed.length} referrers of ${where.digest} are listed; at most ${MAX_REFERRERS} are read`,
      why: 'somebody may be flooding the artifact with statements',
      fix: 'delete the foreign referrers from the registry',
    });
  }
  const read = await allBounded(listed, MAX_PARALLEL, context.signal, async (descriptor) => {
    const alike = verified.get(descriptor.digest);
    if (alike !== undefined) {
      return alike;
    }
    const found = await client.getManifest(where.repository, descriptor.digest);
    if (found === undefined) {
      throw new UserError({
        code: 'REFERRER_MISSING',
        what: `the registry lists referrer ${descriptor.digest} but does not hold it`,
        why: 'what cannot be read is never taken for absent',
        fix: 'run the job again; if it persists, tell those who run the registry',
      });
    }
    if (found.descriptor.mediaType !== MEDIA_TYPE.imageManifest) {
      return undefined;
    }
    const { layers, subject } = parseManifest(found.bytes, `referrer ${descriptor.digest}`);
    const [layer] = layers;
    if (layer === undefined || !layers.some(({ mediaType }) => mediaType.startsWith(BUNDLE_MEDIA_TYPE_PREFIX))) {
      return undefined;
    }
    if (layers.length > 1 || subject?.digest !== where.digest) {
      return { descriptor, code: 'BUNDLE_INVALID', reason: 'its manifest does not carry one bundle about this digest' };
    }
    if (layer.size > MAX_BUNDLE_BYTES) {
      return {
        descriptor,
        code: 'BUNDLE_INVALID',
        reason: `it has ${layer.size} bytes; at most ${MAX_BUNDLE_BYTES} are read`,
      };
    }
    const bundle = await client.getBlob(where.repository, layer);
    const listing = { ...descriptor, artifactType: MEDIA_TYPE.sigstoreBundle };
    return verifyForAny(trust, where.digest, { descriptor: listing, manifest: found.bytes, bundle });
  });
  const bundles = read.filter((entry) => entry !== undefined);
  return {
    referrers: bundles.filter((entry) => 'verified' in entry),
    rejected: bundles
      .filter((entry) => 'reason' in entry)
      .map(({ descriptor, code, reason }) => ({ digest: descriptor.digest, code, reason })),
  };
}

function verifyForAny(
  trust: Trust,
  digest: Digest,
  referrer: BundleReferrer,
): VerifiedReferrer | { descriptor: Descriptor; code: string; reason: string } {
  let failure: { code: string; reason: string } | undefined;
  for (const identity of trust.identities) {
    try {
      return { ...referrer, verified: verifyBundle(trust.root, referrer.bundle, { ...identity, digest }) };
    } catch (error) {
      const details = error instanceof UserError ? (error.problem.details ?? [error.problem.why ?? '']) : [];
      // The first identity is the one that the caller is asked about.
      failure ??= {
        code: error instanceof UserError ? error.code : 'BUNDLE_INVALID',
        reason: [errorMessage(error), ...details].join('; '),
      };
    }
  }
  return {
    descriptor: referrer.descriptor,
    ...(failure ?? { code: 'IDENTITY_MISMATCH', reason: 'no identity is expected' }),
  };
}

/**
 * The statements of one identity about one component: each required predicate type must be there and satisfy its content rules
 * (design: "Unchanged components", *complete*). Throws `NOT_SIGNED`, `SIGNED_BY_SOMEONE_ELSE`, `EVIDENCE_INCOMPLETE` or `COMPONENT_MISMATCH`.
 */
export function requireEvidence(
  evidence: ArtifactEvidence,
  wanted: {
    readonly identity: Identity;
    readonly predicateTypes: readonly string[];
    readonly component: string;
    readonly digest: Digest;
  },
): VerifiedReferrer[] {
  const signed = evidence.referrers.filter((referrer) => isSignedBy(referrer, wanted.identity));
  const own = signed.filter(({ verified }) => !isForeignProvenance(verified.statement));
  const missing = wanted.predicateTypes.filter(
    (type) => !own.some(({ verified }) => verified.statement.predicateType === type),
  );
  const rejected = evidence.rejected.map(({ digest, reason }) => `rejected ${digest}: ${reason}`);
  const expected = `expected ${describeIdentity(wanted.identity)}`;
  if (evidence.rejected.length === 0 && evidence.referrers.length === 0) {
    throw new UserError({
      code: 'NOT_SIGNED',
      what: `${wanted.component}@${wanted.digest} carries no signature`,
      details: [expected],
      fix: 'sign and push it with the shipping workflow first',
    });
  }
  if (
    signed.length === 0 &&
    (evidence.referrers.length > 0 || evidence.rejected.some(({ code }) => code === 'IDENTITY_MISMATCH'))
  ) {
    throw new UserError({
      code: 'SIGNED_BY_SOMEONE_ELSE',
      what: `${wanted.component}@${wanted.digest} is signed, but not by the expected identity`,
      details: [expected, ...signers(evidence), ...rejected],
      fix: 'if the other identity is right, correct identity and issuer; otherwise find out who published this',
    });
  }
  if (missing.length > 0) {
    throw new UserError({
      code: 'EVIDENCE_INCOMPLETE',
      what: `${wanted.component}@${wanted.digest} lacks verified statements`,
      details: [...missing.map((type) => `missing ${type}`), expected, ...rejected],
      fix: 'run sign and push again: they add what is missing',
    });
  }
  for (const { verified } of own) {
    requireContent(verified.statement, wanted.component);
  }
  return own;
}

function describeIdentity({ subject, issuer, sourceRepository }: Identity): string {
  return `${subject} of ${issuer}${sourceRepository === undefined ? '' : `, run by ${sourceRepository}`}`;
}

/** Who signed what verifies. */
function signers({ referrers }: ArtifactEvidence): string[] {
  return [...new Set(referrers.map(({ verified }) => `seen ${describeIdentity(verified.certificate)}`))];
}

/** Whether a verified statement comes from exactly this identity. */
export function isSignedBy({ verified: { certificate } }: VerifiedReferrer, identity: Identity): boolean {
  return (
    certificate.subject === identity.subject &&
    certificate.issuer === identity.issuer &&
    (identity.sourceRepository === undefined || certificate.sourceRepository === identity.sourceRepository)
  );
}

/** Provenance of another build type, such as GitHub's own attestation in the same workflow: no fault, and no evidence of ours. */
function isForeignProvenance({ predicateType, predicate }: Statement): boolean {
  return predicateType === PREDICATE.provenance && !v.is(OwnProvenance, predicate);
}

const OwnProvenance = v.object({ buildDefinition: v.object({ buildType: v.literal(BUILD_TYPE) }) });

/** Content rules per predicate type; an unknown type is no evidence and no fault. */
function requireContent(statement: Statement, component: string): void {
  const { predicateType, predicate } = statement;
  const schema = CONTENT_RULES[predicateType];
  const result = schema === undefined ? undefined : v.safeParse(schema, predicate);
  if (result?.success === false) {
    throw new UserError({
      code: 'EVIDENCE_INCOMPLETE',
      what: `the statement ${predicateType} does not say what it must`,
      details: result.issues.map((issue) => `${v.getDotPath(issue) ?? '(top level)'}: ${issue.message}`),
      fix: 'run package, sign and push again with this version of the suite',
    });
  }
  if (predicateType === PREDICATE.provenance && signedContent(predicate).component !== component) {
    throw new UserError({
      code: 'COMPONENT_MISMATCH',
      what: 'the artifact was signed for another component',
      details: [`expected ${component}`, `seen ${signedContent(predicate).component}`],
      why: 'an artifact copied into another repository must not be released there',
      fix: 'name the component that this digest was shipped as, or ship this one',
    });
  }
}

const CONTENT_RULES: Readonly<Record<string, v.GenericSchema | undefined>> = {
  [PREDICATE.provenance]: ProvenanceSchema,
  [PREDICATE.sbom]: v.object({ bomFormat: v.literal('CycloneDX'), specVersion: v.string() }),
  [PREDICATE.checks]: TestResultSchema,
  [PREDICATE.promotion]: PromotionSchema,
};
