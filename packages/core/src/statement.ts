import * as v from 'valibot';
import { type Digest, hexOf } from './digest.ts';

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** DSSE payload type of an in-toto statement (in-toto attestation spec v1, envelope.md). */
export const STATEMENT_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** What `cosign attest` v3 still writes (in-toto/attestation `spec/v0.1.0/statement.md`): the same members. */
const FORMER_STATEMENT_TYPE = 'https://in-toto.io/Statement/v0.1';

/** An in-toto Statement v1 (in-toto/attestation `spec/v1/statement.md`) or v0.1, with SHA-256 subjects only. */
export const StatementSchema = v.object({
  _type: v.picklist([STATEMENT_TYPE, FORMER_STATEMENT_TYPE]),
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

/**
 * A statement about one OCI manifest. The digest alone decides; a name is for people, and for sigstore-python, which takes no
 * statement without one.
 */
export function statementAbout(
  digest: Digest,
  predicateType: string,
  predicate: Record<string, unknown>,
  name?: string,
): Statement {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ ...(name === undefined ? {} : { name }), digest: { sha256: hexOf(digest) } }],
    predicateType,
    predicate,
  };
}
