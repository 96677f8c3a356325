import { createServer } from 'node:http';
import { type Context, createHttpClient, silentLogger } from '@gitless/core';
import { githubEnvironment, startIssuer, type TestIssuer } from '@gitless/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Event, readBuild } from './github.ts';
import { mintIdToken } from './id-token.ts';

let issuer: TestIssuer;
/** Everything that the code under test could print, and what it masked, in the order of happening. */
let told: string[];
let events: string[];

beforeEach(async () => {
  issuer = await startIssuer();
  told = [];
  events = [];
});
afterEach(() => issuer.close());

function context(env: Context['env'], retries = 0): Context {
  const signal = new AbortController().signal;
  const tell = (line: string) => {
    told.push(line);
  };
  const log = { ...silentLogger, debug: tell, info: tell, warning: tell };
  const http = createHttpClient(
    { retries, backoffMs: 0, maxBackoffMs: 0, timeoutMs: 5000 },
    { log, signal, sleep: async () => undefined },
  );
  return {
    env,
    log,
    http: {
      send: (request) => {
        events.push(`sent ${request.headers?.['authorization']}`);
        return http.send(request);
      },
    },
    exec: () => Promise.reject(new Error('runs nothing')),
    now: () => new Date(),
    sleep: async () => undefined,
    signal,
    mask: (secret) => events.push(`masked ${secret}`),
  };
}

function granted(url = issuer.tokenRequestUrl): Context['env'] {
  return { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken };
}

function mint(env: Context['env'], overrides: Parameters<typeof githubEnvironment>[0] = {}, event: Event = {}) {
  return mintIdToken(context(env), readBuild(githubEnvironment(overrides)), event, 'https://fulcio.example/?a&b');
}

async function failure(work: Promise<unknown>) {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const everything = `${String(error)} ${JSON.stringify(error)} ${told.join('\n')}`;
  for (const token of [issuer.requestToken, ...issuer.issuedTokens]) {
    expect(everything).not.toContain(token);
    expect(everything).not.toContain(token.slice(0, 12));
  }
  return error;
}

/** An endpoint that answers `body` to everything. */
async function withEndpoint(status: number, body: string, work: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { location: `${issuer.url}/elsewhere` }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  try {
    await work(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/token?x=1`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('mintIdToken', () => {
  it('gives the token for the audience, and the claims that decisions rest on', async () => {
    issuer.claims = { environment: 'production' };
    const { jwt, claims } = await mint(granted());
    expect(claims).toEqual({
      iss: issuer.url,
      sub: 'repo:acme/shop:environment:production',
      exp: expect.any(Number),
      repository: 'acme/shop',
      repository_visibility: 'private',
      job_workflow_ref: 'acme/shop/.github/workflows/ship.yml@refs/heads/main',
      environment: 'production',
    });
    expect(issuer.issuedTokens).toEqual([jwt]);
    expect(issuer.requests).toEqual([{ audience: 'https://fulcio.example/?a&b', status: 200 }]);
  });

  it('masks the request token before it is sent and the token before anything else', async () => {
    const { jwt } = await mint(granted());
    expect(events).toEqual([`masked ${issuer.requestToken}`, `sent Bearer ${issuer.requestToken}`, `masked ${jwt}`]);
    expect(told.join('\n')).not.toContain(jwt);
  });

  const fork: Event = { pull_request: { head: { repo: { full_name: 'mallory/shop', fork: true } } } };
  const own: Event = { pull_request: { head: { repo: { full_name: 'acme/shop' } } } };
  const PERMISSION =
    'the job lacks the permission id-token: write; in a called reusable workflow the calling job must grant it too';

  it.each([
    ['a push', {}, {}, PERMISSION],
    ['a pull request of the repository itself', { GITHUB_EVENT_NAME: 'pull_request' }, own, PERMISSION],
    ['a fork', { GITHUB_EVENT_NAME: 'pull_request' }, fork, /pull request from a fork/],
    ['a deleted fork', { GITHUB_EVENT_NAME: 'pull_request' }, { pull_request: { head: { repo: null } } }, /a fork/],
    [
      'pull_request_target, which has the base’s rights',
      { GITHUB_EVENT_NAME: 'pull_request_target' },
      fork,
      PERMISSION,
    ],
    ['Dependabot', { GITHUB_ACTOR: 'dependabot[bot]' }, {}, /Dependabot started it/],
    ['Enterprise Server', { GITHUB_SERVER_URL: 'https://git.acme.example' }, {}, /Enterprise Server older than 3\.5/],
    ['data residency', { GITHUB_SERVER_URL: 'https://acme.ghe.com' }, {}, PERMISSION],
  ])('says why there is no token: %s', async (_name, overrides, event, why) => {
    const partial: Context['env'][] = [
      {},
      { ACTIONS_ID_TOKEN_REQUEST_URL: issuer.tokenRequestUrl },
      { ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken },
      { ...granted(), ACTIONS_ID_TOKEN_REQUEST_URL: '' },
    ];
    for (const env of partial) {
      expect(await failure(mint(env, overrides, event))).toMatchObject({
        code: 'OIDC_MISSING',
        problem: { why: typeof why === 'string' ? why : expect.stringMatching(why), fix: expect.any(String) },
      });
    }
    expect(events.filter((line) => line.startsWith('sent'))).toEqual([]);
  });

  it.each(['http://token.example/x', 'http://localhost.example/x', 'ftp://token.example/x', 'token.example'])(
    'sends the request token to https or loopback only: %s',
    async (url) => {
      expect(await failure(mint(granted(url)))).toMatchObject({ code: 'OIDC_FAILED' });
      expect(events.filter((line) => line.startsWith('sent'))).toEqual([]);
    },
  );

  it.each([401, 403, 404, 429, 500])('fails when the endpoint answers %d', async (status) => {
    issuer.failWith(status);
    expect(await failure(mint(granted()))).toMatchObject({
      code: 'OIDC_FAILED',
      message: `the runner's token endpoint answered ${status} [OIDC_FAILED]`,
    });
  });

  it('tries again before it gives up', async () => {
    issuer.failWith(503);
    const build = readBuild(githubEnvironment());
    expect(await failure(mintIdToken(context(granted(), 2), build, {}, 'a'))).toMatchObject({ code: 'OIDC_FAILED' });
    expect(issuer.requests).toHaveLength(3);
  });

  it('does not follow a redirect with the request token', async () => {
    await withEndpoint(307, '', async (url) => {
      expect(await failure(mint(granted(url)))).toMatchObject({ code: 'OIDC_FAILED' });
    });
    expect(issuer.requests).toEqual([]);
  });

  const payload = Buffer.from(JSON.stringify({ iss: 'i', sub: 's', exp: 'never' })).toString('base64url');

  it.each([
    ['no JSON', 'eyJsecrettoken.eyJsecretpayload.secretsignature'],
    ['no value', '{"token":"secretsecret"}'],
    ['a value that is no text', '{"value":{"jwt":"secretsecret"}}'],
    ['a value that is no token', '{"value":"secretsecret"}'],
    ['a token without payload', '{"value":"eyJh..secretsecret"}'],
    ['a token without the claims', `{"value":"eyJh.${payload}.secretsecret"}`],
    ['too much', JSON.stringify({ value: 'x'.repeat(70_000) })],
  ])('fails when the endpoint answers with %s, and repeats nothing of it', async (_name, body) => {
    await withEndpoint(200, body, async (url) => {
      const error = await failure(mint(granted(url)));
      expect(error).toMatchObject({ code: expect.stringMatching(/^(OIDC_FAILED|HTTP_BODY_TOO_LARGE)$/) });
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/secret(token|payload|s)|eyJ/);
    });
  });

  it('names the claim that is wrong', async () => {
    issuer.claims = { job_workflow_ref: undefined };
    expect(await failure(mint(granted()))).toMatchObject({
      code: 'OIDC_FAILED',
      problem: { details: [expect.stringContaining('job_workflow_ref')] },
    });
  });
});
