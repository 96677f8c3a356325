import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { type ClaimOverrides, githubClaims } from './github-claims.ts';
import { type Answer, jsonAnswer, type Received, startLoopbackServer } from './loopback-server.ts';

export interface IssuerOptions {
  readonly claims?: ClaimOverrides;
  /** Seconds from now to `exp`; negative: tokens are born expired. GitHub's is 300. */
  readonly lifetimeSeconds?: number;
  readonly now?: () => Date;
}

/** One call of the token endpoint; never the token. */
export interface TokenRequest {
  readonly audience: string;
  readonly status: number;
}

export interface TestIssuer {
  /** The `iss` claim, base of discovery and keys. */
  readonly url: string;
  /** What a runner has in `ACTIONS_ID_TOKEN_REQUEST_URL`. */
  readonly tokenRequestUrl: string;
  /** What a runner has in `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  readonly requestToken: string;
  /** Overrides for tokens issued from now on. */
  claims: ClaimOverrides;
  /** Lifetime of tokens issued from now on. */
  lifetimeSeconds: number;
  readonly requests: readonly TokenRequest[];
  /** Every token that was ever handed out, so that a test can look for leaks. */
  readonly issuedTokens: readonly string[];
  /** Token requests answer `status` from now on; `undefined` mends the endpoint. */
  failWith(status: number | undefined): void;
  /** The claims of a token of this issuer for `audience`, valid at `at` (by default: now). Rejects otherwise. */
  verify(token: string, audience: string, at?: Date): Promise<JWTPayload>;
  close(): Promise<void>;
}

/** A loopback OIDC issuer with GitHub's token endpoint, discovery document and ES256 keys. */
export async function startIssuer(options: IssuerOptions = {}): Promise<TestIssuer> {
  const now = options.now ?? (() => new Date());
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = keys.publicKey.export({ format: 'jwk' });
  const keyId = createHash('sha256').update(JSON.stringify(jwk)).digest('hex').slice(0, 32);
  const requestToken = randomBytes(24).toString('base64url');
  const requests: TokenRequest[] = [];
  const issuedTokens: string[] = [];
  let failure: number | undefined;

  async function issue(audience: string): Promise<string> {
    const issuedAt = Math.floor(now().getTime() / 1000);
    const claims: JWTPayload = {
      jti: randomUUID(),
      iss: issuer.url,
      aud: audience,
      iat: issuedAt,
      nbf: issuedAt - 600,
      exp: issuedAt + issuer.lifetimeSeconds,
      ...githubClaims(issuer.claims),
    };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: keyId })
      .sign(keys.privateKey);
    issuedTokens.push(token);
    return token;
  }

  async function answerTokenRequest({ headers, query }: Received): Promise<Answer> {
    const audience = query.get('audience') ?? 'https://github.com/acme';
    const authorised = headers.authorization?.toLowerCase().startsWith('bearer ') === true;
    const status = failure ?? (authorised && headers.authorization?.slice(7) === requestToken ? 200 : 401);
    requests.push({ audience, status });
    if (status !== 200) {
      return jsonAnswer(status, { message: `the token endpoint answers ${status}` });
    }
    const value = await issue(audience);
    return jsonAnswer(200, { count: value.length, value });
  }

  const server = await startLoopbackServer(async (request) => {
    switch (`${request.method} ${request.path}`) {
      case 'GET /token':
        return answerTokenRequest(request);
      case 'GET /keys':
        return jsonAnswer(200, { keys: [{ ...jwk, kid: keyId, use: 'sig', alg: 'ES256' }] });
      case 'GET /.well-known/openid-configuration':
        return jsonAnswer(200, discoveryDocument(server.url));
      default:
        return jsonAnswer(404, { message: 'Not Found' });
    }
  });

  const issuer: TestIssuer = {
    url: server.url,
    tokenRequestUrl: `${server.url}/token?api-version=2.0`,
    requestToken,
    claims: options.claims ?? {},
    lifetimeSeconds: options.lifetimeSeconds ?? 300,
    requests,
    issuedTokens,
    failWith: (status) => {
      failure = status;
    },
    verify: async (token, audience, at = now()) => {
      const required = { issuer: server.url, audience, requiredClaims: ['sub', 'exp'], algorithms: ['ES256'] };
      const { payload } = await jwtVerify(token, keys.publicKey, { ...required, currentDate: at });
      return payload;
    },
    close: server.close,
  };
  return issuer;
}

/** OpenID Connect Discovery 1.0 §3, with the members that Fulcio's client reads. */
function discoveryDocument(url: string): unknown {
  return {
    issuer: url,
    jwks_uri: `${url}/keys`,
    subject_types_supported: ['public'],
    response_types_supported: ['id_token'],
    id_token_signing_alg_values_supported: ['ES256'],
    scopes_supported: ['openid'],
  };
}
