import { createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { type Context, errorMessage, parseJsonWith, UserError } from '@gitless/core';
import * as v from 'valibot';
import { reasonOf } from './service-answer.ts';

const MAX_ANSWER_BYTES = 256 * 1024;

const CertificateResponseSchema = v.object({
  signedCertificateEmbeddedSct: v.object({
    chain: v.object({ certificates: v.pipe(v.array(v.string()), v.minLength(1)) }),
  }),
});

export interface CertificateRequest {
  readonly fulcioUrl: string;
  readonly jwt: string;
  /** The token's `sub`, over which possession of the key is proven. */
  readonly tokenSubject: string;
  readonly privateKey: KeyObject;
}

/**
 * Asks Fulcio for a certificate with embedded SCT (sigstore/fulcio `fulcio.proto`, CreateSigningCertificate, JSON form). Own client
 * instead of `@sigstore/sign`: one token and one certificate for all statements, our retries, and no token in an error message.
 * Returns the leaf in DER. Throws `FULCIO_REFUSED` or `CERTIFICATE_REFUSED`.
 */
export async function requestCertificate(context: Context, request: CertificateRequest): Promise<Buffer> {
  const publicKey = createPublicKey(request.privateKey);
  const body = {
    credentials: { oidcIdentityToken: request.jwt },
    publicKeyRequest: {
      publicKey: { algorithm: 'ECDSA', content: publicKey.export({ type: 'spki', format: 'pem' }) },
      proofOfPossession: sign('sha256', Buffer.from(request.tokenSubject), request.privateKey).toString('base64'),
    },
  };
  const response = await context.http.send({
    method: 'POST',
    url: new URL(`${request.fulcioUrl.replace(/\/+$/, '')}/api/v2/signingCert`),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    maxBytes: MAX_ANSWER_BYTES,
  });
  if (response.status !== 200 && response.status !== 201) {
    throw new UserError({
      code: 'FULCIO_REFUSED',
      what: `Fulcio answered ${response.status} to the request for a certificate`,
      why: reasonOf(response.body, request.jwt),
      details: describeToken(request.jwt, context.now()),
      fix: 'check oidc-audience, that this Fulcio trusts the issuer of the job, and that the job did not wait so long that its token expired; then run the job again',
    });
  }
  const { signedCertificateEmbeddedSct } = parseJsonWith(CertificateResponseSchema, response.body, {
    code: 'FULCIO_REFUSED',
    where: "Fulcio's answer",
    fix: 'a Fulcio that does not embed the SCT cannot be used: a bundle cannot carry a detached one',
  });
  const leaf = parsePem(signedCertificateEmbeddedSct.chain.certificates[0] ?? '');
  if (!leaf.publicKey.equals(publicKey)) {
    throw new UserError({
      code: 'CERTIFICATE_REFUSED',
      what: 'Fulcio returned a certificate for another key than ours',
      fix: 'check that fulcio-url names the right service, and that nothing between changes its answers',
    });
  }
  return leaf.raw;
}

const TokenSchema = v.object({
  iss: v.string(),
  aud: v.union([v.string(), v.array(v.string())]),
  exp: v.number(),
});

/** What Fulcio looks at first, and does not tell which of it was wrong. */
function describeToken(jwt: string, now: Date): string[] {
  const { iss, aud, exp } = parseJsonWith(TokenSchema, Buffer.from(jwt.split('.')[1] ?? '', 'base64url'), {
    code: 'FULCIO_REFUSED',
    where: "the OIDC token's payload",
    fix: 'run the job again; if it persists, tell those who run the OIDC issuer',
  });
  const left = exp - Math.floor(now.getTime() / 1000);
  const at = new Date(exp * 1000).toISOString().replace('.000Z', 'Z');
  return [
    `issuer ${iss}`,
    `audience ${[aud].flat().join(', ')}`,
    left > 0 ? `expires at ${at}, in ${left} s` : `expired at ${at}, ${-left} s ago`,
  ];
}

function parsePem(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new UserError({
      code: 'CERTIFICATE_REFUSED',
      what: 'what Fulcio returned is not a certificate',
      why: errorMessage(error),
      fix: 'check that fulcio-url names the right service, and that nothing between changes its answers',
    });
  }
}
