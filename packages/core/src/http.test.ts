import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpClient, DEFAULT_HTTP_SETTINGS, type HttpRequest, redactUrl } from './http.ts';
import { silentLogger } from './log.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

/** A real server; every request, pause and log line of the client is kept. */
async function start(handler: Handler, settings = {}) {
  const seen: IncomingMessage[] = [];
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    seen.push(request);
    bodies.push(await text(request));
    handler(request, response, seen.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stop = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('the server has no port');
  }
  const abort = new AbortController();
  const pauses: number[] = [];
  const lines: string[] = [];
  const log = { ...silentLogger, info: (line: string) => lines.push(line), debug: (line: string) => lines.push(line) };
  const client = createHttpClient(
    { ...DEFAULT_HTTP_SETTINGS, retries: 2, ...settings },
    {
      log,
      signal: abort.signal,
      sleep: async (milliseconds) => {
        pauses.push(milliseconds);
      },
    },
  );
  const url = new URL(`http://127.0.0.1:${address.port}/path?secret=hunter2`);
  const send = (request: Partial<HttpRequest> = {}) => client.send({ method: 'GET', url, maxBytes: 1000, ...request });
  return { send, seen, bodies, pauses, lines, abort, url, port: address.port };
}

describe('http client', () => {
  it('sends method, headers and body, and gives status, headers and bytes', async () => {
    const { send, seen, bodies } = await start((_request, response) => {
      response.writeHead(201, { 'x-answer': 'yes' }).end(Buffer.from([0, 255]));
    });
    const response = await send({ method: 'PUT', headers: { 'x-question': 'what' }, body: Buffer.from('body') });
    expect(response).toMatchObject({ status: 201, body: Buffer.from([0, 255]) });
    expect(response.headers.get('x-answer')).toBe('yes');
    expect(seen[0]).toMatchObject({ method: 'PUT', url: '/path?secret=hunter2' });
    expect(seen[0]?.headers).toMatchObject({ 'x-question': 'what', 'user-agent': 'gitless' });
    expect(bodies).toEqual(['body']);
  });

  it.each([408, 429, 500, 502, 503, 504])('tries again after %d, with the same body', async (status) => {
    const { send, bodies, pauses } = await start((_request, response, count) => {
      response.writeHead(count < 3 ? status : 200).end();
    });
    expect((await send({ method: 'POST', body: 'again' })).status).toBe(200);
    expect(bodies).toEqual(['again', 'again', 'again']);
    expect(pauses).toHaveLength(2);
  });

  it.each([200, 304, 400, 401, 403, 404, 409, 425, 501])('takes %d for an answer', async (status) => {
    const { send, seen } = await start((_request, response) => response.writeHead(status).end());
    expect((await send()).status).toBe(status);
    expect(seen).toHaveLength(1);
  });

  it('sends what must be sent once a single time, whatever happens', async () => {
    const { send, seen } = await start((request, response, count) => {
      if (count === 1) {
        response.writeHead(503).end();
      } else {
        request.socket.resetAndDestroy();
      }
    });
    expect((await send({ once: true })).status).toBe(503);
    await expect(send({ once: true })).rejects.toMatchObject({ code: 'HTTP_UNREACHABLE' });
    expect(seen).toHaveLength(2);
  });

  it('gives the last answer once the tries are used up: whoever asked decides what it means', async () => {
    const { send, seen } = await start((_request, response) => response.writeHead(503).end('busy'));
    expect(await send()).toMatchObject({ status: 503, body: Buffer.from('busy') });
    expect(seen).toHaveLength(3);
  });

  it('waits longer each time, at random, and never longer than the limit', async () => {
    const settings = { retries: 6, backoffMs: 100, maxBackoffMs: 1000 };
    const { send, pauses } = await start((_request, response) => response.writeHead(500).end(), settings);
    await send();
    expect(pauses).toHaveLength(6);
    for (const [index, pause] of pauses.entries()) {
      const least = Math.min(1000, 100 * 2 ** index);
      expect(pause).toBeGreaterThanOrEqual(least);
      expect(pause).toBeLessThanOrEqual(Math.min(1000, 2 * least));
    }
  });

  it.each([
    ['7', 7000],
    ['100000', 30_000],
    [new Date(Date.now() + 3_600_000).toUTCString(), 30_000],
  ])('waits as long as Retry-After: %s asks for, up to the limit', async (value, pause) => {
    const { send, pauses } = await start((_request, response, count) => {
      response.writeHead(count === 1 ? 429 : 200, { 'retry-after': value }).end();
    });
    await send();
    expect(pauses).toEqual([pause]);
  });

  it.each(['soon', '-5', 'Thu, 01 Jan 1970 00:00:00 GMT', ''])(
    'backs off as usual for Retry-After: %j',
    async (value) => {
      const { send, pauses } = await start((_request, response, count) => {
        response.writeHead(count === 1 ? 503 : 200, { 'retry-after': value }).end();
      });
      await send();
      expect(pauses[0]).toBeGreaterThanOrEqual(500);
      expect(pauses[0]).toBeLessThanOrEqual(1000);
    },
  );

  it('tries again when the connection is cut, before or within the answer', async () => {
    const { send, seen, lines } = await start((request, response, count) => {
      if (count === 1) {
        request.socket.resetAndDestroy();
      } else if (count === 2) {
        response.writeHead(200, { 'content-length': '10' }).write('half', () => request.socket.destroy());
      } else {
        response.end('whole');
      }
    });
    expect(await send()).toMatchObject({ status: 200, body: Buffer.from('whole') });
    expect(seen).toHaveLength(3);
    expect(lines.filter((line) => line.includes('try 2 of 3') || line.includes('try 3 of 3'))).toHaveLength(2);
  });

  it('gives up on a server that does not answer in time', async () => {
    const { send, seen } = await start(() => undefined, { timeoutMs: 50, retries: 1 });
    await expect(send()).rejects.toMatchObject({
      code: 'HTTP_UNREACHABLE',
      problem: { why: expect.stringContaining('timeout') },
    });
    expect(seen).toHaveLength(2);
  });

  it('says which host did not answer, how often it was tried and why', async () => {
    const { send, port } = await start(() => undefined);
    await stop?.();
    await expect(send()).rejects.toMatchObject({
      code: 'HTTP_UNREACHABLE',
      message: `no answer to GET http://127.0.0.1:${port}/path?… after 3 tries [HTTP_UNREACHABLE]`,
      problem: { why: expect.stringContaining('ECONNREFUSED') },
    });
  });

  it('never follows a redirect: the receiver of credentials is for the caller to judge', async () => {
    const { send, seen } = await start((_request, response) => {
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    const response = await send({ headers: { authorization: 'Bearer hunter2' } });
    expect(response.status).toBe(307);
    expect(response.headers.get('location')).toBe('/elsewhere');
    expect(seen).toHaveLength(1);
  });

  it('reads up to the limit, also when the answer only grows while it is unpacked', async () => {
    const { send, seen } = await start((request, response) => {
      if (request.headers['x-packed'] === undefined) {
        response.end('x'.repeat(1000));
      } else {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(100_000)));
      }
    });
    expect((await send()).body).toHaveLength(1000);
    await expect(send({ maxBytes: 999 })).rejects.toMatchObject({ code: 'HTTP_BODY_TOO_LARGE' });
    await expect(send({ headers: { 'x-packed': '1' } })).rejects.toMatchObject({ code: 'HTTP_BODY_TOO_LARGE' });
    expect(seen).toHaveLength(3);
  });

  it('stops with the reason of the run’s end, and tries no more', async () => {
    const { send, abort, seen } = await start(() => abort.abort(new Error('cancelled')));
    await expect(send()).rejects.toThrow('cancelled');
    expect(seen).toHaveLength(1);
  });

  it.each([
    ['a line break in a header', { headers: { authorization: 'Bearer hunter2\nx: y' } }],
    ['a foreign character in a header', { headers: { authorization: 'Bearer hunter2→' } }],
    ['user info in the address', { url: new URL('http://hunter2:hunter2@127.0.0.1:1/') }],
  ])('refuses %s at once, without repeating it', async (_name, request) => {
    const { send, lines, pauses } = await start((_request, response) => response.end());
    const failure = await send(request).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'HTTP_BAD_REQUEST' });
    expect(JSON.stringify([failure, String(failure), lines])).not.toContain('hunter2');
    expect(pauses).toEqual([]);
  });

  it('writes no query, user info or header into log or error', async () => {
    const { send, lines } = await start((request, response, count) => {
      if (count === 1) {
        response.writeHead(500).end('hunter2');
      } else {
        request.socket.resetAndDestroy();
      }
    });
    const failure = await send({ headers: { authorization: 'Bearer hunter2' } }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'HTTP_UNREACHABLE' });
    expect(lines.length).toBeGreaterThan(1);
    expect(JSON.stringify([failure, String(failure), lines])).not.toContain('hunter2');
  });
});

describe('redactUrl', () => {
  it.each([
    ['https://user:password@host:8443/a/b?token=x#y', 'https://host:8443/a/b?…'],
    ['https://host/', 'https://host/'],
  ])('%s', (url, redacted) => {
    expect(redactUrl(new URL(url))).toBe(redacted);
  });
});
