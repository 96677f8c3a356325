import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';

export interface TokenService {
  /** URL that a registry names in `WWW-Authenticate`. */
  readonly realm: string;
  readonly issuer: string;
  /** The registry's own name, `service` in requests and `aud` in tokens. */
  readonly audience: string;
  /** What the registry verifies tokens with. */
  readonly jwks: { readonly keys: readonly unknown[] };
  /** From now on no token is good for this repository. */
  withdraw(repository: string): void;
  /** Runs `use` with tokens that live for a moment only, whatever is said of them; gives the last one. */
  withShortLives(use: () => Promise<void>): Promise<string>;
  close(): Promise<void>;
}

const KEY_ID = 'peers';
const LIFETIME_SECONDS = 60;
/** distribution takes a token for that long after its end (`registry/auth/token`, `Leeway`). */
const LEEWAY_SECONDS = 60;
const SHORT_LIFE_SECONDS = 2;

/**
 * A token service for distribution on loopback (distribution `docs/content/spec/auth/{token,jwt}.md`): whoever has the
 * login gets what it asks for, but for what is withdrawn; anybody else gets 401.
 */
export async function startTokenService(login: { username: string; password: string }): Promise<TokenService> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authorization = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const names = { issuer: 'peers.test', audience: 'registry.test' };
  const withdrawn = new Set<string>();
  let remaining = LIFETIME_SECONDS;
  let last = '';
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.headers.authorization !== authorization) {
      response.writeHead(401).end('{"details":"incorrect username or password"}');
      return;
    }
    const { searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const now = Math.floor(Date.now() / 1000);
    const expires = now + remaining;
    const issued = expires - LIFETIME_SECONDS;
    last = jwt(privateKey, {
      iss: names.issuer,
      sub: login.username,
      aud: searchParams.get('service'),
      exp: expires,
      nbf: issued,
      iat: issued,
      jti: randomUUID(),
      access: searchParams
        .getAll('scope')
        .flatMap((scope) => scope.split(' ').map(grant))
        .filter(({ name }) => !withdrawn.has(name)),
    });
    response.writeHead(200).end(JSON.stringify({ token: last, expires_in: LIFETIME_SECONDS }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    ...names,
    // By name: go-containerregistry refuses a realm at a private IP address, which a hostile registry could name.
    realm: `http://localhost:${port}/token`,
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'ES256', use: 'sig' }] },
    withdraw: (repository) => withdrawn.add(repository),
    async withShortLives(use) {
      remaining = SHORT_LIFE_SECONDS - LEEWAY_SECONDS;
      try {
        await use();
      } finally {
        remaining = LIFETIME_SECONDS;
      }
      return last;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** `repository:acme/web:pull,push` as an entry of `access`. */
function grant(scope: string) {
  const [type = '', name = '', actions = ''] = scope.split(':');
  return { type, name, actions: actions.split(',') };
}

function jwt(key: KeyObject, claims: unknown): string {
  const part = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url');
  const signed = `${part({ alg: 'ES256', typ: 'JWT', kid: KEY_ID })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}
