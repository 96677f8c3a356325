import * as v from 'valibot';
import { type Digest, hexOf } from './digest.ts';

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** DSSE payload type of an in-toto statement (in-toto attestation spec v1, envelope.md). */
export const STATEMENT_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** An in-toto Statement v1 (in-toto/attestation `spec/v1/statement.md`), with SHA-256 subjects only. */
export const StatementSchema = v.object({
  _type: v.literal(STATEMENT_TYPE),
  subject: v.pipe(
    v.array(
      v.object({
        name: v.exactOptional(v.string()),
        digest: v.object({ sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) }),
      }),
    ),
    v.minLength(1),
  ),
  predicateType: v.string(),
  predicate: v.record(v.string(), v.unknown()),
});

export type Statement = v.InferOutput<typeof StatementSchema>;

/** A statement about one OCI manifest. No subject name, as cosign writes it (cosign v3 `pkg/cosign/bundle`; the digest alone decides). */
export function statementAbout(digest: Digest, predicateType: string, predicate: Record<string, unknown>): Statement {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ digest: { sha256: hexOf(digest) } }],
    predicateType,
    predicate,
  };
}
