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
  // Idle connections end here before the service ends them, and there after the client did: no request meets a closing one.
  const agent = new Agent({ keepAlive: true, timeout: 5_000 });
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
      onward.once('error', () => response.destroy());
      request.pipe(onward);
    }, delayMs);
  });
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
