import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

/** A request as a handler sees it: the whole body, at most {@link MAX_BODY_BYTES}. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface LoopbackServer {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  /** Ends open connections too, so that no test waits for a client's keep-alive. */
  close(): Promise<void>;
}

/** rekor-tiles' limit, the largest of the servers that stand behind this one. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Serves `handle` on a free port of 127.0.0.1. `'reset'` cuts the connection without an answer; a thrown error answers 500. */
export async function startLoopbackServer(
  handle: (request: Received) => Promise<Answer | 'reset'>,
): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    void answerTo(request, handle).then((answer) => {
      if (answer === 'reset') {
        request.socket.resetAndDestroy();
        return;
      }
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('the server has no port');
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** `value` as a JSON answer. */
export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

async function answerTo(
  request: IncomingMessage,
  handle: (request: Received) => Promise<Answer | 'reset'>,
): Promise<Answer | 'reset'> {
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > MAX_BODY_BYTES) {
        return { ...jsonAnswer(413, { message: 'request body too large' }), headers: { connection: 'close' } };
      }
      chunks.push(bytes);
    }
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    return await handle({
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks),
    });
  } catch (error) {
    return jsonAnswer(500, { code: 13, message: String(error), details: [] });
  }
}
