import { type Context, parseJsonWith, UserError } from '@gitless/core';
import * as v from 'valibot';
import { reasonOf } from './service-answer.ts';

const MAX_ANSWER_BYTES = 1024 * 1024;

export interface LogRequest {
  readonly rekorUrl: string;
  /** SHA-256 of the DSSE pre-authentication encoding. */
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
  /** DER. */
  readonly certificate: Uint8Array;
}

/**
 * Adds a hashedrekord 0.0.2 entry to a Rekor v2 log (sigstore/rekor-tiles `rekor/v2/rekor_service.proto`; since v2.3.0 the only kind it
 * takes, so a DSSE envelope is logged by the digest of its encoding, sigstore/architecture-docs PR 63). Blocks until the checkpoint.
 * Returns the TransparencyLogEntry as JSON, or `undefined` when the log already holds this very entry (409): sign again then.
 * Throws `REKOR_FAILED`.
 */
export async function addLogEntry(context: Context, request: LogRequest): Promise<Record<string, unknown> | undefined> {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const body = {
    hashedRekordRequestV002: {
      digest: base64(request.digest),
      signature: {
        content: base64(request.signature),
        verifier: {
          keyDetails: 'PKIX_ECDSA_P256_SHA_256',
          x509Certificate: { rawBytes: base64(request.certificate) },
        },
      },
    },
  };
  const response = await context.http.send({
    method: 'POST',
    url: new URL(`${request.rekorUrl.replace(/\/+$/, '')}/api/v2/log/entries`),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    maxBytes: MAX_ANSWER_BYTES,
  });
  if (response.status === 409) {
    return undefined;
  }
  if (response.status !== 200 && response.status !== 201) {
    throw new UserError({
      code: 'REKOR_FAILED',
      what: `the transparency log answered ${response.status}`,
      why: reasonOf(response.body),
      fix: 'run the job again; if it persists, check the log named in the signing config',
    });
  }
  return parseJsonWith(v.record(v.string(), v.unknown()), response.body, {
    code: 'REKOR_FAILED',
    where: "the log's answer",
    fix: 'check that rekor-url names a Rekor v2 log',
  });
}
