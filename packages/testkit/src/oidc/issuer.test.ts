import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import * as v from 'valibot';
import { afterEach, describe, expect, it } from 'vitest';
import { type IssuerOptions, startIssuer, type TestIssuer } from './issuer.ts';

const Answer = v.object({ count: v.number(), value: v.string() });
const Discovery = v.object({ issuer: v.string(), jwks_uri: v.string() });
const Keys = v.object({ keys: v.array(v.looseObject({ kty: v.string() })) });

let running: TestIssuer[] = [];
afterEach(async () => {
  await Promise.all(running.map((issuer) => issuer.close()));
  running = [];
});

async function start(options?: IssuerOptions): Promise<TestIssuer> {
  const issuer = await startIssuer(options);
  running.push(issuer);
  return issuer;
}

function request(issuer: TestIssuer, audience = 'sigstore', token = issuer.requestToken): Promise<Response> {
  const url = `${issuer.tokenRequestUrl}&audience=${encodeURIComponent(audience)}`;
  return fetch(url, { headers: { authorization: `Bearer ${token}` } });
}

async function getJson(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

async function token(issuer: TestIssuer, audience?: string): Promise<string> {
  return v.parse(Answer, await (await request(issuer, audience)).json()).value;
}

describe('startIssuer', () => {
  it('hands out a token of the GitHub shape that its published keys verify', async () => {
    const issuer = await start();
    const answer = v.parse(Answer, await (await request(issuer, 'https://sigstore.example/a?b&c')).json());
    expect(answer.count).toBe(answer.value.length);

    const discovery = v.parse(Discovery, await getJson(`${issuer.url}/.well-known/openid-configuration`));
    expect(discovery.issuer).toBe(issuer.url);
    const keys = createLocalJWKSet(v.parse(Keys, await getJson(discovery.jwks_uri)));
    const expected = { issuer: issuer.url, audience: 'https://sigstore.example/a?b&c' };
    const { payload } = await jwtVerify(answer.value, keys, expected);
    expect(payload).toMatchObject({
      sub: 'repo:acme/shop:ref:refs/heads/main',
      event_name: 'push',
      job_workflow_ref: 'acme/shop/.github/workflows/ship.yml@refs/heads/main',
      run_attempt: '1',
    });
    const registered = ['exp', 'iat', 'nbf'];
    const wrongType = Object.entries(payload).filter(
      ([name, value]) => typeof value !== (registered.includes(name) ? 'number' : 'string'),
    );
    expect(wrongType).toEqual([]);
    expect(payload).not.toHaveProperty('environment');
  });

  it('answers 401 without the request token and logs audiences, never tokens', async () => {
    const issuer = await start();
    expect((await fetch(`${issuer.tokenRequestUrl}&audience=a`)).status).toBe(401);
    expect((await request(issuer, 'b', 'guessed')).status).toBe(401);
    await token(issuer, 'c');
    expect(issuer.requests).toEqual([
      { audience: 'a', status: 401 },
      { audience: 'b', status: 401 },
      { audience: 'c', status: 200 },
    ]);
    expect(issuer.issuedTokens).toHaveLength(1);
    expect(JSON.stringify(issuer.requests)).not.toContain(issuer.issuedTokens[0]);
  });

  it('lets claims be set, removed and followed by those derived from them', async () => {
    const issuer = await start({ claims: { repository: 'acme/web', ref: 'refs/tags/v1' } });
    expect(decodeJwt(await token(issuer))).toMatchObject({
      sub: 'repo:acme/web:ref:refs/tags/v1',
      ref_type: 'tag',
      workflow_ref: 'acme/web/.github/workflows/ship.yml@refs/tags/v1',
    });
    issuer.claims = {
      environment: 'production',
      job_workflow_ref: 'acme/ci/.github/workflows/x.yml@refs/heads/main',
      sha: undefined,
    };
    const claims = decodeJwt(await token(issuer));
    expect(claims).toMatchObject({
      sub: 'repo:acme/shop:environment:production',
      workflow_ref: 'acme/shop/.github/workflows/ship.yml@refs/heads/main',
      job_workflow_ref: 'acme/ci/.github/workflows/x.yml@refs/heads/main',
    });
    expect(claims).not.toHaveProperty('sha');
  });

  it('verifies its own live tokens for their audience only', async () => {
    const issuer = await start();
    const stranger = await start();
    const live = await token(issuer, 'sigstore');
    await expect(issuer.verify(live, 'sigstore')).resolves.toMatchObject({ aud: 'sigstore' });
    await expect(issuer.verify(live, 'other')).rejects.toThrow('aud');
    await expect(stranger.verify(live, 'sigstore')).rejects.toThrow();
    await expect(issuer.verify(live, 'sigstore', new Date(Date.now() + 301_000))).rejects.toThrow('exp');
    issuer.lifetimeSeconds = -1;
    await expect(issuer.verify(await token(issuer), 'sigstore')).rejects.toThrow('exp');
  });

  it('fails with a status until it is mended', async () => {
    const issuer = await start();
    issuer.failWith(503);
    expect((await request(issuer)).status).toBe(503);
    issuer.failWith(undefined);
    expect((await request(issuer)).status).toBe(200);
  });
});
