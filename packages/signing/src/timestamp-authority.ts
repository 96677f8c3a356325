import { createHash } from 'node:crypto';
import { type Context, UserError } from '@gitless/core';
import { reasonOf } from './service-answer.ts';

const MAX_ANSWER_BYTES = 256 * 1024;

/**
 * An RFC 3161 timestamp over a signature, as DER TimeStampResp, by Sigstore's JSON request (sigstore/timestamp-authority `openapi.yaml`).
 * A URL without path gets `/api/v1/timestamp`, as sigstore-js does. Throws `TSA_FAILED`.
 */
export async function requestTimestamp(context: Context, tsaUrl: string, signature: Uint8Array): Promise<Uint8Array> {
  const url = new URL(tsaUrl);
  if (url.pathname === '/') {
    url.pathname = '/api/v1/timestamp';
  }
  const response = await context.http.send({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      artifactHash: createHash('sha256').update(signature).digest('base64'),
      hashAlgorithm: 'sha256',
    }),
    maxBytes: MAX_ANSWER_BYTES,
  });
  if (response.status !== 200 && response.status !== 201) {
    throw new UserError({
      code: 'TSA_FAILED',
      what: `the timestamp authority answered ${response.status}`,
      why: reasonOf(response.body),
      fix: 'run the job again; if it persists, check the timestamp authority named in the signing config',
    });
  }
  return response.body;
}
