import { parseJsonWith, UserError } from '@gitless/core';
import * as v from 'valibot';

const base64 = v.pipe(v.string(), v.base64());

/** Log entry bodies that can stand for a DSSE envelope (sigstore/rekor `pkg/types`, sigstore/rekor-tiles `hashedrekord/v0.0.2`). */
const EntryBodySchema = v.variant('kind', [
  v.object({
    kind: v.literal('hashedrekord'),
    apiVersion: v.literal('0.0.2'),
    spec: v.object({
      hashedRekordV002: v.object({
        signature: v.object({ verifier: v.object({ x509Certificate: v.object({ rawBytes: base64 }) }) }),
      }),
    }),
  }),
  v.object({
    kind: v.literal('dsse'),
    apiVersion: v.literal('0.0.1'),
    spec: v.object({ signatures: v.pipe(v.array(v.object({ verifier: base64 })), v.length(1)) }),
  }),
]);

const NOT_OURS = 'sign keyless: a bundle that was signed with a key is not taken';

/** DER of the certificate that a Rekor v2 (hashedrekord) or v1 (dsse) entry was made for. Throws `BUNDLE_INVALID`. */
export function loggedCertificate(canonicalizedBody: Uint8Array): Buffer {
  const body = parseJsonWith(EntryBodySchema, canonicalizedBody, {
    code: 'BUNDLE_INVALID',
    where: "the log entry's body",
    fix: NOT_OURS,
  });
  if (body.kind === 'hashedrekord') {
    return Buffer.from(body.spec.hashedRekordV002.signature.verifier.x509Certificate.rawBytes, 'base64');
  }
  const pem = Buffer.from(body.spec.signatures[0]?.verifier ?? '', 'base64').toString();
  const der = /-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/.exec(pem)?.[1];
  if (der === undefined) {
    throw new UserError({
      code: 'BUNDLE_INVALID',
      what: 'the log entry names a key instead of a certificate',
      fix: NOT_OURS,
    });
  }
  return Buffer.from(der, 'base64');
}
