import { randomBytes } from 'node:crypto';
import { errors, fail, json, notAllowed, type Reply } from './reply.ts';
import type { Action, LoggedRequest, RegistryAuth } from './types.ts';

/** One thing that a request needs to be allowed to do. */
export interface Access {
  readonly repository: string;
  readonly action: Action;
}

/** Decides who may do what. */
export interface Gate {
  /** The answer that refuses a request, or `undefined` when it may go on. Nothing wanted: any valid login will do. */
  refuse(authorization: string | undefined, wanted: readonly Access[]): Reply | undefined;
  /** `GET /token`, or `undefined` when this registry has no token service. */
  token(method: string, url: URL, authorization: string | undefined): Reply | undefined;
}

interface Token {
  readonly expiresAt: number;
  readonly scopes: ReadonlyMap<string, ReadonlySet<string>>;
}

const DEFAULT_TOKEN_TTL_SECONDS = 300;

/** The kind of credentials in an Authorization header; the log keeps this and nothing else. */
export function kindOf(authorization: string | undefined): LoggedRequest['authorization'] {
  const scheme = authorization?.split(' ')[0]?.toLowerCase();
  return scheme === 'basic' || scheme === 'bearer' ? scheme : 'none';
}

export function createGate(auth: RegistryAuth, host: () => string): Gate {
  switch (auth.kind) {
    case 'none':
      return { refuse: () => undefined, token: () => undefined };
    case 'basic':
      return basicGate(auth);
    case 'bearer':
      return bearerGate(auth, host);
  }
}

function basicGate(auth: RegistryAuth & { kind: 'basic' }): Gate {
  const may = ({ repository, action }: Access) => auth.allow?.(auth.username, repository, action) ?? true;
  return {
    refuse(authorization, wanted) {
      if (!isLogin(auth, authorization)) {
        return unauthorized('Basic realm="testkit"', wanted);
      }
      return wanted.every(may) ? undefined : fail(403, 'DENIED', 'requested access to the resource is denied');
    },
    token: () => undefined,
  };
}

/** distribution, docs "Token Authentication Specification": challenge, token by GET with Basic, then Bearer. */
function bearerGate(auth: RegistryAuth & { kind: 'bearer' }, host: () => string): Gate {
  const tokens = new Map<string, Token>();
  const now = () => (auth.now?.() ?? new Date()).getTime();

  function valid(authorization: string | undefined): Token | undefined {
    const token = kindOf(authorization) === 'bearer' ? tokens.get(authorization?.split(' ')[1] ?? '') : undefined;
    return token !== undefined && token.expiresAt > now() ? token : undefined;
  }

  function challenge(wanted: readonly Access[], error: string | undefined): Reply {
    const scope = wanted.length === 0 ? '' : `,scope="${scopesOf(wanted)}"`;
    const reason = error === undefined ? '' : `,error="${error}"`;
    return unauthorized(`Bearer realm="http://${host()}/token",service="${host()}"${scope}${reason}`, wanted);
  }

  return {
    refuse(authorization, wanted) {
      const token = valid(authorization);
      if (token === undefined) {
        return challenge(wanted, kindOf(authorization) === 'bearer' ? 'invalid_token' : undefined);
      }
      return wanted.every(({ repository, action }) => token.scopes.get(repository)?.has(action) === true)
        ? undefined
        : challenge(wanted, 'insufficient_scope');
    },
    token(method, url, authorization) {
      if (method !== 'GET') {
        return notAllowed('GET');
      }
      if (!isLogin(auth, authorization)) {
        return unauthorized('Basic realm="testkit"', []);
      }
      if (url.searchParams.get('service') !== host()) {
        return fail(400, 'UNSUPPORTED', 'unknown service', { service: url.searchParams.get('service') });
      }
      const value = randomBytes(12).toString('hex');
      const seconds = auth.tokenTtlSeconds ?? DEFAULT_TOKEN_TTL_SECONDS;
      const issued = now();
      tokens.set(value, { expiresAt: issued + seconds * 1000, scopes: grant(auth, url.searchParams.getAll('scope')) });
      return json(200, { token: value, expires_in: seconds, issued_at: new Date(issued).toISOString() });
    },
  };
}

/** `repository:<name>:<action>,<action>`, repeated or separated by spaces; what is not allowed is left out, not refused. */
function grant(auth: RegistryAuth & { kind: 'bearer' }, scopes: readonly string[]): Map<string, Set<string>> {
  const granted = new Map<string, Set<string>>();
  for (const scope of scopes.flatMap((value) => value.split(' '))) {
    const [, repository, actions] = /^repository:([^:]+):(.+)$/.exec(scope) ?? [];
    if (repository === undefined || actions === undefined) {
      continue;
    }
    const set = granted.get(repository) ?? new Set();
    granted.set(repository, set);
    for (const action of actions.split(',')) {
      if (isAction(action) && (auth.allow?.(auth.username, repository, action) ?? true)) {
        set.add(action);
      }
    }
  }
  return granted;
}

function isAction(value: string): value is Action {
  return value === 'pull' || value === 'push' || value === 'delete';
}

function isLogin(
  login: { readonly username: string; readonly password: string },
  authorization: string | undefined,
): boolean {
  const expected = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  return kindOf(authorization) === 'basic' && authorization?.split(' ')[1] === expected;
}

/** `repository:<name>:<action>,<action>`, separated by spaces. */
function scopesOf(wanted: readonly Access[]): string {
  const byRepository = Map.groupBy(wanted, ({ repository }) => repository);
  return [...byRepository]
    .map(([repository, accesses]) => `repository:${repository}:${accesses.map(({ action }) => action).join(',')}`)
    .join(' ');
}

/** The body says what was wanted, in the words of distribution's own records. */
function unauthorized(challenge: string, wanted: readonly Access[]): Reply {
  const records = wanted.map(({ repository, action }) => {
    return { Type: 'repository', Class: '', Name: repository, Action: action };
  });
  const detail = records.length === 0 ? null : records;
  const error = { code: 'UNAUTHORIZED', message: 'authentication required', detail } as const;
  return errors(401, [error], { 'www-authenticate': challenge });
}
