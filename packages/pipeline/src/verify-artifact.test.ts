import { type Digest, PREDICATE, REQUIRED_PREDICATES, statementAbout, UserError } from '@gitless/core';
import { BUILD_TYPE } from '@gitless/evidence';
import { MEDIA_TYPE } from '@gitless/oci';
import { describe, expect, it } from 'vitest';
import { type ArtifactEvidence, type Identity, requireEvidence, type VerifiedReferrer } from './verify-artifact.ts';

const DIGEST: Digest = `sha256:${'d'.repeat(64)}`;
const SHIPPER: Identity = { issuer: 'https://issuer', subject: 'https://github.com/acme/shop/ship.yml@main' };
const STRANGER: Identity = { issuer: 'https://issuer', subject: 'https://github.com/evil/shop/ship.yml@main' };

function provenance(component: string, buildType: string = BUILD_TYPE): Record<string, unknown> {
  return {
    buildDefinition: {
      buildType,
      externalParameters: { component, environments: [], flags: {} },
      resolvedDependencies: [{ uri: 'git+https://github.com/acme/shop' }],
    },
    runDetails: { builder: { id: 'https://github.com/acme/shop/ship.yml@main' }, metadata: { invocationId: 'run' } },
  };
}

const SBOM = { bomFormat: 'CycloneDX', specVersion: '1.6' };
const PASSED = {
  result: 'PASSED',
  configuration: [{ name: 'schema', uri: 'https://gitless.dev/checks/schema', annotations: { description: 'd' } }],
  passedTests: ['schema'],
};

let counter = 0;

/** A referrer that verified: only what the decision reads. */
function referrer(predicateType: string, predicate: Record<string, unknown>, identity = SHIPPER): VerifiedReferrer {
  counter += 1;
  const digest: Digest = `sha256:${counter.toString(16).padStart(64, '0')}`;
  return {
    descriptor: { mediaType: MEDIA_TYPE.imageManifest, digest, size: 1 },
    manifest: new Uint8Array(),
    bundle: new Uint8Array(),
    verified: {
      statement: statementAbout(DIGEST, predicateType, predicate),
      certificate: { issuer: identity.issuer, subject: identity.subject },
      signedAt: new Date(0),
      logIndex: '0',
    },
  };
}

function complete(identity = SHIPPER): VerifiedReferrer[] {
  return [
    referrer(PREDICATE.signature, {}, identity),
    referrer(PREDICATE.provenance, provenance('web'), identity),
    referrer(PREDICATE.sbom, SBOM, identity),
  ];
}

function decide(evidence: Partial<ArtifactEvidence>, identity = SHIPPER): string {
  try {
    requireEvidence(
      { referrers: [], rejected: [], ...evidence },
      { identity, predicateTypes: REQUIRED_PREDICATES, component: 'web', digest: DIGEST },
    );
    return 'complete';
  } catch (error) {
    if (error instanceof UserError) {
      return error.code;
    }
    throw error;
  }
}

const WRONG_IDENTITY = { digest: DIGEST, code: 'IDENTITY_MISMATCH', reason: 'by someone else' };
const BROKEN = { digest: DIGEST, code: 'BUNDLE_INVALID', reason: 'does not verify' };

describe('requireEvidence', () => {
  it.each<[string, Partial<ArtifactEvidence>, string]>([
    ['all that is required', { referrers: complete() }, 'complete'],
    [
      'all, and statements of others',
      { referrers: [...complete(), ...complete(STRANGER)], rejected: [WRONG_IDENTITY] },
      'complete',
    ],
    ['nothing', {}, 'NOT_SIGNED'],
    ['only bundles by others', { rejected: [WRONG_IDENTITY] }, 'SIGNED_BY_SOMEONE_ELSE'],
    ['all, by another identity that is known', { referrers: complete(STRANGER) }, 'SIGNED_BY_SOMEONE_ELSE'],
    ['only bundles that do not verify', { rejected: [BROKEN] }, 'EVIDENCE_INCOMPLETE'],
    ['a signature alone', { referrers: complete().slice(0, 1) }, 'EVIDENCE_INCOMPLETE'],
    ['no signature', { referrers: complete().slice(1) }, 'EVIDENCE_INCOMPLETE'],
    [
      'the SBOM by another identity',
      { referrers: [...complete().slice(0, 2), referrer(PREDICATE.sbom, SBOM, STRANGER)] },
      'EVIDENCE_INCOMPLETE',
    ],
  ])('%s', (_what, evidence, expected) => {
    expect(decide(evidence)).toBe(expected);
  });

  it('compares the source repository where one is expected', () => {
    const identity = { ...SHIPPER, sourceRepository: 'https://github.com/acme/shop' };
    expect(decide({ referrers: complete() }, identity)).toBe('SIGNED_BY_SOMEONE_ELSE');
  });

  it.each<[string, VerifiedReferrer[], string]>([
    ['provenance of another component', [referrer(PREDICATE.provenance, provenance('api'))], 'COMPONENT_MISMATCH'],
    [
      'provenance without a builder',
      [referrer(PREDICATE.provenance, { ...provenance('web'), runDetails: {} })],
      'EVIDENCE_INCOMPLETE',
    ],
    ['an SBOM that is none', [referrer(PREDICATE.sbom, { bomFormat: 'SPDX' })], 'EVIDENCE_INCOMPLETE'],
    ['checks that failed', [referrer(PREDICATE.checks, { ...PASSED, result: 'FAILED' })], 'EVIDENCE_INCOMPLETE'],
    ['checks that passed', [referrer(PREDICATE.checks, PASSED)], 'complete'],
    ['a promotion that says nothing', [referrer(PREDICATE.promotion, {})], 'EVIDENCE_INCOMPLETE'],
    ['a statement of a type that nobody knows', [referrer('https://example.test/custom/v1', {})], 'complete'],
    [
      'provenance by another builder',
      [referrer(PREDICATE.provenance, provenance('x', 'https://actions.github.io/buildtypes/workflow/v1'))],
      'complete',
    ],
  ])('judges content: %s beside the required ones', (_what, more, expected) => {
    expect(decide({ referrers: [...complete(), ...more] })).toBe(expected);
  });

  it('does not take another builder’s provenance for ours', () => {
    const [signature, , sbom] = complete();
    const foreign = referrer(
      PREDICATE.provenance,
      provenance('web', 'https://actions.github.io/buildtypes/workflow/v1'),
    );
    const referrers = [signature, foreign, sbom].filter((entry) => entry !== undefined);
    expect(decide({ referrers })).toBe('EVIDENCE_INCOMPLETE');
    expect(decide({ referrers: [foreign] })).toBe('EVIDENCE_INCOMPLETE');
  });

  it('says what is missing, who was expected, and why bundles were rejected', () => {
    try {
      requireEvidence(
        { referrers: complete().slice(0, 2), rejected: [BROKEN] },
        { identity: SHIPPER, predicateTypes: REQUIRED_PREDICATES, component: 'web', digest: DIGEST },
      );
      throw new Error('taken');
    } catch (error) {
      expect(error instanceof UserError && error.problem.details).toEqual([
        `missing ${PREDICATE.sbom}`,
        `expected ${SHIPPER.subject} of ${SHIPPER.issuer}`,
        `rejected ${DIGEST}: does not verify`,
      ]);
    }
  });
});
