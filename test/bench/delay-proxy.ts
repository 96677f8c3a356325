import { Agent, createServer, request as forward } from 'node:http';

/** Stands before a service, counts its requests, and lets each wait before it is passed on. */
export interface DelayProxy {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  /** Requests since it started. */
  count(): number;
  close(): Promise<void>;
}

export async function startDelayProxy(target: URL, delayMs: number): Promise<DelayProxy> {
  // A connection for each request: none is reused at the very moment in which the service closes it.
  const agent = new Agent({ keepAlive: false });
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    setTimeout(() => {
      const { hostname, port } = target;
      const { method, url: path, rawHeaders: headers } = request;
      const onward = forward({ hostname, port, method, path, headers, agent }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      });
      onward.once('error', (error) => response.writeHead(502).end(`${target.origin}: ${error.message}`));
      request.pipe(onward);
    }, delayMs);
  });
  // Longer than any client keeps its own.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('the proxy has no port');
  }
  return {
    origin: `http://127.0.0.1:${address.port}`,
    count: () => count,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
}
