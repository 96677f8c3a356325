import { type Context, type HttpResponse, UserError } from '@gitless/core';
import * as v from 'valibot';
import { type Challenge, parseChallenges } from './challenge.ts';
import { checkRealm, type RealmRule } from './realm.ts';
import { registryError } from './registry-error.ts';
import { covers, widen, withPush } from './scopes.ts';

export type Credentials =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string };

export interface Authorizer {
  /** The Authorization header that is known to serve `scopes`, if any. */
  known(scopes: readonly string[]): string | undefined;
  /**
   * Answers a 401 to a request that was sent with the header `used`: fetches a token anew, or turns to Basic;
   * undefined when the challenge leaves nothing to try.
   * Throws `BAD_CHALLENGE`, `REALM_REFUSED`, `BAD_TOKEN_RESPONSE` and what the token service's refusal maps to.
   */
  answer(response: HttpResponse, scopes: readonly string[], used: string | undefined): Promise<string | undefined>;
}

const TOKEN_MAX_BYTES = 256 * 1024;
/** Distribution `docs/spec/auth/token.md`: the lifetime when none is given. */
const DEFAULT_LIFETIME_S = 60;
const LONGEST_LIFETIME_S = 3600;
const RENEW_BEFORE_S = 10;
const REFUSALS: readonly string[] = ['REGISTRY_UNAUTHORIZED', 'REGISTRY_DENIED'];

/** A token becomes a header's value: visible ASCII only. */
const TokenText = v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/));
const TokenResponse = v.object({
  token: v.exactOptional(TokenText),
  access_token: v.exactOptional(TokenText),
  expires_in: v.exactOptional(v.pipe(v.number(), v.minValue(0)), DEFAULT_LIFETIME_S),
});

interface Grant {
  readonly header: string;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/**
 * Turns credentials and a registry's challenges into Authorization headers (distribution `docs/spec/auth/token.md`,
 * RFC 7617). Every token, and the credentials in their encoded form, is masked before it is used; tokens are kept per
 * set of scopes until ten seconds before they expire.
 */
export function createAuthorizer(context: Context, rule: RealmRule, credentials: Credentials): Authorizer {
  const basic = basicHeader(context, credentials);
  let basicWanted = false;
  const grants = new Map<string, Grant>();

  async function fetchGrant(challenge: Challenge, realm: string, scopes: readonly string[]): Promise<Grant> {
    const url = checkRealm(realm, rule);
    const service = challenge.params.get('service');
    if (service !== undefined) {
      url.searchParams.set('service', service);
    }
    for (const scope of scopes) {
      url.searchParams.append('scope', scope);
    }
    const response = await context.http.send({
      method: 'GET',
      url,
      headers: basic === undefined ? {} : { authorization: basic },
      maxBytes: TOKEN_MAX_BYTES,
    });
    if (response.status !== 200) {
      throw tokenRefused(response, url);
    }
    const { lifetime, token } = readToken(response, url);
    context.mask(token);
    const header = `Bearer ${token}`;
    const until = context.now().getTime() + (Math.min(lifetime, LONGEST_LIFETIME_S) - RENEW_BEFORE_S) * 1000;
    return { header, scopes, until };
  }

  /**
   * With credentials a token to read is asked for with push too: a registry can answer "unauthorized" in place of "not
   * found" about a repository that is still to be made. A service that refuses the pair is asked for less.
   */
  async function obtainGrant(challenge: Challenge, realm: string, scopes: readonly string[]): Promise<Grant> {
    const broad = withPush(scopes);
    if (basic !== undefined && broad !== undefined) {
      try {
        return await fetchGrant(challenge, realm, broad);
      } catch (error) {
        if (!(error instanceof UserError && REFUSALS.includes(error.code))) {
          throw error;
        }
      }
    }
    return await fetchGrant(challenge, realm, scopes);
  }

  function tokenRefused(response: HttpResponse, url: URL): UserError {
    if (response.status >= 300 && response.status < 400) {
      return new UserError({
        code: 'REALM_REFUSED',
        what: `${url.host}, the token service of ${rule.registry}, redirects elsewhere`,
        why: 'a redirect could carry the credentials to another host, so token requests follow none',
        fix: 'tell those who run the registry: its token service must answer where its challenge says',
      });
    }
    const action = `get a token from ${url.host}`;
    return registryError({ response, registry: rule.registry, action, credentials: credentials.kind });
  }

  return {
    known(scopes) {
      if (basicWanted) {
        return basic;
      }
      const now = context.now().getTime();
      return [...grants.values()].find((grant) => grant.until > now && covers(grant.scopes, scopes))?.header;
    },
    async answer(response, scopes, used) {
      const challenges = parseChallenges(response.headers.get('www-authenticate') ?? '');
      const bearer = challenges.find(({ scheme, params }) => scheme === 'bearer' && params.has('realm'));
      const realm = bearer?.params.get('realm');
      if (bearer !== undefined && realm !== undefined) {
        const grant = await obtainGrant(bearer, realm, widen(scopes, bearer.params.get('scope') ?? ''));
        grants.set([...scopes].sort().join(' '), { ...grant, scopes: [...scopes, ...grant.scopes] });
        return grant.header;
      }
      if (basic !== undefined && basic !== used && challenges.some(({ scheme }) => scheme === 'basic')) {
        basicWanted = true;
        return basic;
      }
      return undefined;
    },
  };
}

function basicHeader(context: Context, credentials: Credentials): string | undefined {
  if (credentials.kind === 'anonymous') {
    return undefined;
  }
  const encoded = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  context.mask(credentials.password);
  context.mask(encoded);
  return `Basic ${encoded}`;
}

/** Names what is wrong without quoting the answer, which holds a token. */
function readToken(response: HttpResponse, url: URL): { token: string; lifetime: number } {
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder().decode(response.body));
  } catch {
    throw badTokenResponse(url, 'it is not JSON');
  }
  const parsed = v.safeParse(TokenResponse, data);
  if (!parsed.success) {
    const fields = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'top level');
    throw badTokenResponse(url, `not as specified: ${fields.join(', ')}`);
  }
  const token = parsed.output.token ?? parsed.output.access_token;
  if (token === undefined) {
    throw badTokenResponse(url, 'it holds neither token nor access_token');
  }
  return { token, lifetime: parsed.output.expires_in };
}

function badTokenResponse(url: URL, why: string): UserError {
  return new UserError({
    code: 'BAD_TOKEN_RESPONSE',
    what: `the token service ${url.host} sent an answer that cannot be used`,
    why,
    fix: 'check that no proxy answers in its place',
  });
}
