import * as v from 'valibot';
import { MAX_VERSION_LENGTH, VERSION } from './version.ts';

const text = v.pipe(v.string(), v.nonEmpty());
const digest = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/));

/**
 * Predicate of `https://gitless.dev/attestations/promotion/v1`: that a digest was promoted, by whom, when, from where to where.
 * No vetted predicate says this (in-toto/attestation `spec/predicates`). Complete from its first version on: `approvals`, `policyDigest`,
 * `ticket` and `override` stay absent until something fills them. Published as `docs/schemas/promotion-v1.schema.json`.
 */
export const PromotionSchema = v.strictObject({
  schema: v.literal(1),
  component: text,
  version: v.pipe(v.string(), v.maxLength(MAX_VERSION_LENGTH), v.regex(VERSION, '!wants a SemVer version')),
  channel: text,
  from: v.strictObject({ repository: text, digest }),
  to: v.strictObject({ repository: text }),
  /** What the channel pointed to before; absent for its first promotion. */
  previousDigest: v.exactOptional(digest),
  /** RFC 3339 in UTC, by the runner's clock; the timestamp in the bundle is the proof. */
  promotedAt: v.pipe(v.string(), v.isoTimestamp()),
  promotedBy: v.strictObject({ actor: text, run: text, workflowRef: text, environment: v.exactOptional(text) }),
  reason: v.exactOptional(text),
  /** `none` until a policy decides. */
  policy: text,
  /** What was verified before: one entry for each statement that the decision rests on. */
  evidence: v.array(v.strictObject({ predicateType: text, issuer: text, subject: text, signedAt: text })),
  /** Opt-ins of the workflow file, such as `allow-refs`. */
  optIns: v.exactOptional(v.array(text)),
  approvals: v.exactOptional(
    v.array(v.strictObject({ approver: text, approvedAt: v.exactOptional(text), comment: v.exactOptional(text) })),
  ),
  policyDigest: v.exactOptional(digest),
  ticket: v.exactOptional(text),
  override: v.exactOptional(v.strictObject({ by: text, reason: text })),
});

export type Promotion = v.InferOutput<typeof PromotionSchema>;
