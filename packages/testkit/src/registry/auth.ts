import { randomBytes } from 'node:crypto';
import { errors, fail, json, type Reply } from './reply.ts';
import type { Action, LoggedRequest, RegistryAuth } from './types.ts';

/** Decides who may do what. */
export interface Gate {
  /** The answer that refuses a request, or `undefined` when it may go on. No repository: any valid login will do. */
  refuse(authorization: string | undefined, repository: string | undefined, action: Action): Reply | undefined;
  /** Whether the one who sent `authorization` may pull from a repository. */
  mayPull(authorization: string | undefined, repository: string): boolean;
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
      return { refuse: () => undefined, mayPull: () => true, token: () => undefined };
    case 'basic':
      return basicGate(auth);
    case 'bearer':
      return bearerGate(auth, host);
  }
}

function basicGate(auth: RegistryAuth & { kind: 'basic' }): Gate {
  const may = (repository: string, action: Action) => auth.allow?.(auth.username, repository, action) ?? true;
  return {
    refuse(authorization, repository, action) {
      if (!isLogin(auth, authorization)) {
        return unauthorized('Basic realm="testkit"');
      }
      return repository === undefined || may(repository, action)
        ? undefined
        : fail(403, 'DENIED', 'requested access to the resource is denied');
    },
    mayPull: (authorization, repository) => isLogin(auth, authorization) && may(repository, 'pull'),
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

  function challenge(repository: string | undefined, action: Action, error: string | undefined): Reply {
    const actions = action === 'push' ? 'pull,push' : action;
    const scope = repository === undefined ? '' : `,scope="repository:${repository}:${actions}"`;
    const reason = error === undefined ? '' : `,error="${error}"`;
    return unauthorized(`Bearer realm="http://${host()}/token",service="${host()}"${scope}${reason}`);
  }

  return {
    refuse(authorization, repository, action) {
      const token = valid(authorization);
      if (token === undefined) {
        return challenge(repository, action, kindOf(authorization) === 'bearer' ? 'invalid_token' : undefined);
      }
      return repository === undefined || token.scopes.get(repository)?.has(action) === true
        ? undefined
        : challenge(repository, action, 'insufficient_scope');
    },
    mayPull: (authorization, repository) => valid(authorization)?.scopes.get(repository)?.has('pull') === true,
    token(method, url, authorization) {
      if (method !== 'GET') {
        return fail(405, 'UNSUPPORTED', 'tokens are given on GET');
      }
      if (!isLogin(auth, authorization)) {
        return unauthorized('Basic realm="testkit"');
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

function unauthorized(challenge: string): Reply {
  const error = { code: 'UNAUTHORIZED', message: 'authentication required' } as const;
  return errors(401, [error], { 'www-authenticate': challenge });
}
