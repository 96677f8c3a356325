import { type Digest, parseWith } from '@gitless/core';
import { type Promotion, PromotionSchema } from '@gitless/promotion';
import type { CertificateFacts, VerifiedStatement } from '@gitless/signing';
import type { TestRegistry } from '@gitless/testkit';
import type { Evidence } from './evidence.ts';
import { expect } from './expect.ts';
import type { Fact } from './screen.ts';

/** What a promoted artifact must carry: no more, no less. */
const STATEMENTS = [
  ['shipper-signature', 'signature'],
  ['shipper-provenance', 'provenance'],
  ['shipper-sbom', 'SBOM'],
  ['shipper-checks', 'checks'],
  ['promoter-signature', 'second signature'],
  ['promoter-promotion', 'promotion record'],
] as const;

export interface TraceInput {
  readonly registry: TestRegistry;
  readonly digest: Digest;
  readonly evidence: readonly Evidence[];
  /** What the results of the steps say, to compare with what was signed. */
  readonly claimed: { readonly sha: string; readonly version: string; readonly channel: string };
}

/** From the commit to the promotion, each line taken from a verified certificate or statement, or from the registry. Throws on a gap. */
export function trace({ registry, digest, evidence, claimed }: TraceInput): Fact[] {
  expect(
    evidence.length === STATEMENTS.length,
    `${evidence.length} statements are attached, ${STATEMENTS.length} are expected`,
  );
  const shipped = find(evidence, 'shipper-signature').certificate;
  const promoted = find(evidence, 'promoter-promotion');
  const record = parseWith(PromotionSchema, promoted.statement.predicate, {
    code: 'BAD_PROMOTION',
    where: 'the promotion record',
  });
  expect(
    shipped.sourceDigest === claimed.sha,
    `the certificate names commit ${shipped.sourceDigest}, not ${claimed.sha}`,
  );
  expect(
    record.version === claimed.version && record.channel === claimed.channel && record.from.digest === digest,
    'the promotion record names another version, channel or digest',
  );
  return [
    ['commit', `${claimed.sha}  ${shipped.sourceRef ?? ''}`],
    ['', shipped.sourceRepository ?? ''],
    ['run', `${shipped.runUrl ?? ''}  (${shipped.trigger ?? ''})`],
    ['shipped by', shipped.subject],
    ['artifact', digest],
    ...STATEMENTS.map(([name, label]): Fact => [label, logged(find(evidence, name))]),
    ...tagFacts(registry, digest),
    ...promotionFacts(record, promoted.certificate),
  ];
}

function logged({ logIndex, signedAt }: VerifiedStatement): string {
  return `log index ${logIndex.padStart(2)}  ${signedAt.toISOString().replace(/\.\d+Z$/, 'Z')}`;
}

function find(evidence: readonly Evidence[], name: string): VerifiedStatement {
  const found = evidence.find((candidate) => candidate.name === name);
  expect(found !== undefined, `no verified statement ${name} is attached`);
  return found.verified;
}

/** In the order in which they were written: the channel that production follows is the last. */
function tagFacts(registry: TestRegistry, digest: Digest): Fact[] {
  return registry.tagHistory
    .filter((write) => write.digest === digest)
    .map(({ repository, tag }, index) => [index === 0 ? 'tags, in order' : '', `${repository}:${tag}`]);
}

function promotionFacts(record: Promotion, certificate: CertificateFacts): Fact[] {
  const { promotedBy } = record;
  return [
    ['promotion', `${record.version} to ${record.channel} of ${record.to.repository}`],
    ['promoted by', certificate.subject],
    ['started by', `${promotedBy.actor}, environment ${certificate.environment ?? 'none'}`],
    ['in run', promotedBy.run],
    ['reason', record.reason ?? 'none given'],
    ['previous digest', record.previousDigest ?? `none: the first promotion to ${record.channel}`],
  ];
}
