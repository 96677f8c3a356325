import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, codes, EMPTY, EMPTY_CONFIG, start } from './testing.ts';

afterEach(closeAll);

describe('authentication', () => {
  const login = { username: 'robot', password: 'pass:word' };
  const basic = { authorization: `Basic ${btoa('robot:pass:word')}` };

  it('asks for Basic and logs only its kind', async () => {
    const registry = await start({
      auth: { kind: 'basic', ...login, allow: (_user, _repository, action) => action === 'pull' },
    });
    const anonymous = await fetch(registry.at('/v2/'));
    expect([anonymous.status, anonymous.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Basic /),
    ]);
    const known = await fetch(registry.at('/v2/'), { headers: basic });
    const push = await fetch(registry.at('/v2/acme/web/blobs/uploads/'), { method: 'POST', headers: basic });
    expect([known.status, push.status, await codes(push)]).toEqual([200, 403, ['DENIED']]);
    expect(registry.requests.map(({ status, authorization }) => [status, authorization])).toEqual([
      [401, 'none'],
      [200, 'basic'],
      [403, 'basic'],
    ]);
    expect(JSON.stringify(registry.requests)).not.toContain(basic.authorization.slice(6));
  });

  it('challenges for a scope, gives a token for what is allowed, and forgets it in time', async () => {
    let now = new Date('2026-01-02T03:04:05Z');
    const registry = await start({
      auth: {
        kind: 'bearer',
        ...login,
        tokenTtlSeconds: 60,
        now: () => now,
        allow: (user, repository, action) => user === 'robot' && (repository === 'acme/web' || action === 'pull'),
      },
    });
    const upload = (repository: string, authorization = '') =>
      fetch(registry.at(`/v2/${repository}/blobs/uploads/`), { method: 'POST', headers: { authorization } });
    const realm = `realm="http://${registry.host}/token",service="${registry.host}"`;
    const challenged = await upload('acme/web');
    expect([challenged.status, challenged.headers.get('www-authenticate')]).toEqual([
      401,
      `Bearer ${realm},scope="repository:acme/web:pull,push"`,
    ]);

    const scopes = 'scope=repository:acme/web:pull,push&scope=repository:acme/prod:pull,push';
    const tokenUrl = registry.at(`/token?service=${registry.host}&${scopes}`);
    const refused = await fetch(tokenUrl, { headers: { authorization: `Basic ${btoa('robot:wrong')}` } });
    expect(refused.status).toBe(401);
    const given = await fetch(tokenUrl, { headers: basic });
    const token: unknown = await given.json();
    expect(token).toEqual({ token: expect.any(String), expires_in: 60, issued_at: '2026-01-02T03:04:05.000Z' });
    const bearer = `Bearer ${Object(token).token}`;

    const right = await upload('acme/web', bearer);
    const wrong = await upload('acme/prod', bearer);
    expect([right.status, wrong.status, wrong.headers.get('www-authenticate')]).toEqual([
      202,
      401,
      `Bearer ${realm},scope="repository:acme/prod:pull,push",error="insufficient_scope"`,
    ]);
    now = new Date('2026-01-02T03:05:05Z');
    const late = await upload('acme/web', bearer);
    expect(late.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('mounts only from what the token may pull', async () => {
    const registry = await start({ auth: { kind: 'bearer', ...login } });
    const bearer = async (...scopes: string[]) => {
      const query = scopes.map((scope) => `&scope=${scope}`).join('');
      const given = await fetch(registry.at(`/token?service=${registry.host}${query}`), { headers: basic });
      return { authorization: `Bearer ${Object(await given.json()).token}` };
    };
    const url = registry.at(`/v2/acme/web/blobs/uploads/?digest=${EMPTY_CONFIG.digest}`);
    await fetch(url, { method: 'POST', body: EMPTY, headers: await bearer('repository:acme/web:pull,push') });
    const mount = async (...scopes: string[]) =>
      await fetch(registry.at(`/v2/acme/prod/blobs/uploads/?mount=${EMPTY_CONFIG.digest}&from=acme/web`), {
        method: 'POST',
        headers: await bearer('repository:acme/prod:pull,push', ...scopes),
      });
    const blind = await mount();
    const seeing = await mount('repository:acme/web:pull');
    expect([blind.status, seeing.status]).toEqual([401, 201]);
  });
});
