import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, createHttpClient, silentLogger } from '@gitless/core';
import { type Credentials, createRegistryClient, type RegistryClient } from '@gitless/oci';

export interface Connection {
  readonly client: RegistryClient;
  /** `<method> <path>` of everything that was sent, in order. */
  readonly sent: string[];
}

/** Our own client as the actions build it, with an ear on what it sends. */
export function connect(registry: string, credentials: Credentials = { kind: 'anonymous' }): Connection {
  const sent: string[] = [];
  const { signal } = new AbortController();
  const pause = async (milliseconds: number) => {
    await sleep(milliseconds);
  };
  const settings = { retries: 4, backoffMs: 20, maxBackoffMs: 1000, timeoutMs: 20_000 };
  const http = createHttpClient(settings, { log: silentLogger, sleep: pause, signal });
  const context: Context = {
    env: {},
    log: silentLogger,
    http: {
      send: (request) => {
        sent.push(`${request.method} ${request.url.pathname}`);
        return http.send(request);
      },
    },
    exec: () => Promise.reject(new Error('runs nothing')),
    now: () => new Date(),
    sleep: pause,
    signal,
    mask: () => undefined,
  };
  return { client: createRegistryClient(context, { registry, credentials, plainHttp: true }), sent };
}
