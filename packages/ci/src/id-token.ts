import { type Build, type Context, isLoopback, parseJsonWith, UserError } from '@gitless/core';
import * as v from 'valibot';
import type { Event } from './github.ts';

const MAX_TOKEN_BYTES = 64 * 1024;
const TRY_AGAIN = 'run the job again; if it persists, check the status page of your GitHub instance';

/** The claims that the suite decides by (docs.github.com "OpenID Connect reference"). Nobody but the receiver verifies the signature. */
const ClaimsSchema = v.object({
  iss: v.string(),
  sub: v.string(),
  exp: v.number(),
  repository: v.string(),
  repository_visibility: v.exactOptional(v.string()),
  job_workflow_ref: v.string(),
  environment: v.exactOptional(v.string()),
});

export type IdTokenClaims = v.InferOutput<typeof ClaimsSchema>;

export interface IdToken {
  readonly jwt: string;
  readonly claims: IdTokenClaims;
}

/**
 * Mints one OIDC token for `audience` (docs.github.com "OpenID Connect reference", "Requesting the JWT"). Masked before it is used.
 * Throws `OIDC_MISSING` with the precise reason when the job may not have one, `OIDC_FAILED` when the issuer does not give it.
 */
export async function mintIdToken(context: Context, build: Build, event: Event, audience: string): Promise<IdToken> {
  const requestUrl = context.env['ACTIONS_ID_TOKEN_REQUEST_URL'];
  const requestToken = context.env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
  if (!requestUrl || !requestToken) {
    throw missingToken(build, event);
  }
  context.mask(requestToken);
  const url = URL.parse(requestUrl);
  if (url === null || (url.protocol !== 'https:' && !isLoopback(url.hostname))) {
    throw new UserError({
      code: 'OIDC_FAILED',
      what: 'the token endpoint of this job is not an https address',
      why: 'whoever is on the way could take the token and sign as this workflow',
      fix: 'let no step change ACTIONS_ID_TOKEN_REQUEST_URL; else tell those who run this GitHub instance',
    });
  }
  url.searchParams.set('audience', audience);
  const response = await context.http.send({
    method: 'GET',
    url,
    headers: { authorization: `Bearer ${requestToken}`, accept: 'application/json' },
    maxBytes: MAX_TOKEN_BYTES,
  });
  if (response.status !== 200) {
    throw new UserError({
      code: 'OIDC_FAILED',
      what: `the runner's token endpoint answered ${response.status}`,
      why: 'it gives no OIDC token to this job',
      fix: TRY_AGAIN,
    });
  }
  const { value } = parseJsonWith(v.object({ value: v.string() }), response.body, {
    code: 'OIDC_FAILED',
    where: "the answer of the runner's token endpoint",
    fix: TRY_AGAIN,
  });
  context.mask(value);
  return { jwt: value, claims: readClaims(value) };
}

/** The payload of a compact JWT (RFC 7519 §3); never part of a message. */
function readClaims(jwt: string): IdTokenClaims {
  const payload = jwt.split('.')[1] ?? '';
  return parseJsonWith(ClaimsSchema, Buffer.from(payload, 'base64url'), {
    code: 'OIDC_FAILED',
    where: "the OIDC token's payload",
    fix: TRY_AGAIN,
  });
}

function missingToken(build: Build, event: Event): UserError {
  const head = event.pull_request?.head.repo;
  const base = { code: 'OIDC_MISSING', what: 'this job has no OIDC token to sign with' } as const;
  // pull_request_target runs in the base repository with its rights: there only the permission can be missing.
  const ofFork = event.pull_request !== undefined && (head === null || head?.full_name !== build.repository);
  if (ofFork && build.eventName !== 'pull_request_target') {
    return new UserError({
      ...base,
      why: 'it runs for a pull request from a fork, and GitHub gives such runs no OIDC token',
      fix: 'sign after the merge: run this job on push to the default branch',
    });
  }
  if (build.actor === 'dependabot[bot]') {
    return new UserError({
      ...base,
      why: 'Dependabot started it, and GitHub gives such runs read-only permissions',
      fix: 'sign after the merge: run this job on push to the default branch',
    });
  }
  if (build.serverUrl !== 'https://github.com' && !build.serverUrl.endsWith('.ghe.com')) {
    return new UserError({
      ...base,
      why: `the job lacks id-token: write, or ${build.serverUrl} is an Enterprise Server older than 3.5, which has no OIDC`,
      fix: 'add `permissions: { id-token: write }` to the job',
    });
  }
  return new UserError({
    ...base,
    why: 'the job lacks the permission id-token: write; in a called reusable workflow the calling job must grant it too',
    fix: 'add `permissions: { id-token: write }` to the job, and to the job that calls it if it is a reusable workflow',
  });
}
