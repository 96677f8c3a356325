import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Context, createHttpClient, silentLogger } from '@gitless/core';

export interface Received {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export type Handler = (request: Received) => Reply;

/** A loopback server for the time of `work`; `host` is `127.0.0.1:<port>`. */
export async function withServer<T>(handler: Handler, work: (host: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const reply = handler({ method, url, headers, body: Buffer.concat(chunks) });
      response.writeHead(reply.status, reply.headers);
      response.end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('no port');
  }
  try {
    return await work(`127.0.0.1:${address.port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

export interface TestContext extends Context {
  readonly masked: string[];
  /** Milliseconds since the epoch that `now` tells. */
  clock: number;
}

/** Real HTTP, without retries unless told; `sleep` only counts, the clock stands still. */
export function testContext(retries = 0): TestContext {
  const masked: string[] = [];
  const signal = new AbortController().signal;
  const settings = { retries, backoffMs: 1, maxBackoffMs: 1, timeoutMs: 10_000 };
  const context: TestContext = {
    env: {},
    log: silentLogger,
    http: createHttpClient(settings, { log: silentLogger, sleep: async () => undefined, signal }),
    exec: () => Promise.reject(new Error('runs nothing')),
    now: () => new Date(context.clock),
    sleep: async () => undefined,
    signal,
    mask: (secret) => masked.push(secret),
    masked,
    clock: 0,
  };
  return context;
}

export function registryReply(status: number, code: string, message = ''): Reply {
  return { status, body: JSON.stringify({ errors: [{ code, message }] }) };
}
