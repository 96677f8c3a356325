import { UserError } from '@gitless/core';
import type { Credentials } from '@gitless/oci';
import { type DockerAuths, dockerCredentials } from './docker-config.ts';

/** What a step knows, its inputs by their names; an empty text counts as absent, as an unset action input is one. */
export interface CredentialsRequest {
  /** `host[:port]`. */
  readonly registry: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** `github.token`: goes to `ghcr.io` and nowhere else. */
  readonly 'job-token'?: string | undefined;
  /** The user that started the run; the user name beside the job token. */
  readonly actor?: string | undefined;
  readonly dockerAuths?: DockerAuths | undefined;
}

export interface ResolvedCredentials {
  readonly credentials: Credentials;
  /** For messages: where the credentials came from, never what they are. */
  readonly source: string;
  /** Why something that was there is not used. */
  readonly note?: string;
}

const JOB_TOKEN_REGISTRY = 'ghcr.io';
/** Token services ignore the name beside a token; some want one. */
const NEUTRAL_USERNAME = 'gitless';

/**
 * Picks the credentials for one registry: explicit user name and password, explicit token, docker config, job token,
 * none. The job token is sent to exactly `ghcr.io`: look-alikes such as ghrc.io have harvested tokens.
 * Throws `BAD_CREDENTIALS` for halves or two answers to one question, and what `dockerCredentials` throws.
 */
export function resolveCredentials(request: CredentialsRequest): ResolvedCredentials {
  const { registry, username, password, token, 'job-token': jobToken, actor, dockerAuths } = request;
  if (password && token) {
    throw badCredentials(registry, 'both a password and a token are given', 'give one of them');
  }
  if (password && !username) {
    throw badCredentials(
      registry,
      'a password is given without a user name',
      'give username too, or the password as token',
    );
  }
  if (username && !password && !token) {
    throw badCredentials(registry, 'a user name is given without password or token', 'give password or token too');
  }
  if (username && /[:\p{Cc}]/u.test(username)) {
    throw badCredentials(registry, 'the user name holds ":" or a control character', 'correct it (RFC 7617)');
  }
  if (username && password) {
    return { credentials: { kind: 'basic', username, password }, source: 'the given user name and password' };
  }
  if (token) {
    return { credentials: basicToken(username, token), source: 'the given token' };
  }
  const docker = dockerAuths === undefined ? undefined : dockerCredentials(dockerAuths, registry);
  if (docker !== undefined) {
    return { credentials: docker, source: 'the docker config' };
  }
  if (jobToken && registry === JOB_TOKEN_REGISTRY) {
    return { credentials: basicToken(actor, jobToken), source: 'the job token' };
  }
  return {
    credentials: { kind: 'anonymous' },
    source: 'no credentials',
    ...(jobToken
      ? { note: `the job token goes to ${JOB_TOKEN_REGISTRY} only, so ${registry} is asked without it` }
      : {}),
  };
}

function basicToken(username: string | undefined, token: string): Credentials {
  return { kind: 'basic', username: username || NEUTRAL_USERNAME, password: token };
}

function badCredentials(registry: string, why: string, fix: string): UserError {
  return new UserError({
    code: 'BAD_CREDENTIALS',
    what: `the credentials for ${registry} are incomplete or contradictory`,
    why,
    fix,
  });
}
