import { errorMessage, UserError } from './errors.ts';
import type { Logger } from './log.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Largest body that is read, in bytes; a larger one fails with `HTTP_BODY_TOO_LARGE`. */
  readonly maxBytes: number;
  /** Sent once, never again by itself: for a body that is wrong a moment later. */
  readonly once?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Sends requests with retries. Never follows a redirect: who sends credentials decides where they may go. */
export interface HttpClient {
  send(request: HttpRequest): Promise<HttpResponse>;
}

export interface HttpSettings {
  /** Tries after the first one. */
  readonly retries: number;
  /** First pause in milliseconds; doubles with each try, plus up to as much again at random. */
  readonly backoffMs: number;
  /** Longest pause in milliseconds, also for Retry-After. */
  readonly maxBackoffMs: number;
  /** Whole time of one try in milliseconds. */
  readonly timeoutMs: number;
}

export const DEFAULT_HTTP_SETTINGS: HttpSettings = {
  retries: 4,
  backoffMs: 500,
  maxBackoffMs: 30_000,
  timeoutMs: 60_000,
};

interface HttpDependencies {
  readonly log: Logger;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Retries network errors, 408, 429 and 5xx other than 501 (RFC 9110 §15.5.9, RFC 6585 §4); honours Retry-After.
 * Nearly every request of the suite can be repeated (content is addressed by digest, and tags are read back); the others say `once`.
 */
export function createHttpClient(settings: HttpSettings, deps: HttpDependencies): HttpClient {
  async function once(request: HttpRequest): Promise<HttpResponse> {
    const timeout = AbortSignal.timeout(settings.timeoutMs);
    const response = await fetch(request.url, {
      method: request.method,
      headers: { 'user-agent': 'gitless', ...request.headers },
      redirect: 'manual',
      signal: AbortSignal.any([deps.signal, timeout]),
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    return { status: response.status, headers: response.headers, body: await readBounded(response, request) };
  }

  return {
    async send(request) {
      const target = `${request.method} ${redactUrl(request.url)}`;
      requireSendable(request, target);
      const retries = request.once === true ? 0 : settings.retries;
      for (let attempt = 1; ; attempt += 1) {
        let failure: string;
        let pause = settings.backoffMs * 2 ** (attempt - 1) * (1 + Math.random());
        try {
          const response = await once(request);
          deps.log.debug(`${target} → ${response.status}`);
          if (!isTransient(response.status) || attempt > retries) {
            return response;
          }
          failure = `HTTP ${response.status}`;
          pause = Math.max(pause, retryAfterMs(response.headers));
        } catch (error) {
          deps.signal.throwIfAborted();
          if (error instanceof UserError) {
            throw error;
          }
          if (attempt > retries) {
            throw new UserError({
              code: 'HTTP_UNREACHABLE',
              what: `no answer to ${target} after ${attempt === 1 ? 'one try' : `${attempt} tries`}`,
              why: errorMessage(error),
              fix: 'check that the host is right and reachable from this runner (proxy, firewall, certificate authority)',
            });
          }
          failure = errorMessage(error);
        }
        const wait = Math.min(pause, settings.maxBackoffMs);
        deps.log.info(`${target}: ${failure}; try ${attempt + 1} of ${retries + 1} in ${Math.round(wait)} ms`);
        await deps.sleep(wait);
      }
    },
  };
}

/** What `fetch` refuses will not get better by trying again, and its message repeats header values and user info. */
function requireSendable({ url, method, headers }: HttpRequest, target: string): void {
  try {
    new Request(url, { method, headers: new Headers(headers) });
  } catch {
    throw new UserError({
      code: 'HTTP_BAD_REQUEST',
      what: `${target} cannot be sent`,
      why: 'a header holds characters that HTTP does not allow there, or the address holds a user name',
      fix: 'check the address, and that no line break or foreign character got into a user name, password or token',
    });
  }
}

/** The URL without user info and query, which can carry tokens. */
export function redactUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`;
}

function isTransient(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/** Retry-After as seconds or as a date (RFC 9110 §10.2.3); 0 when absent or unreadable. */
function retryAfterMs(headers: Headers): number {
  const value = headers.get('retry-after');
  if (value === null) {
    return 0;
  }
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

async function readBounded(response: Response, request: HttpRequest): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > request.maxBytes) {
      throw new UserError({
        code: 'HTTP_BODY_TOO_LARGE',
        what: `the answer to ${request.method} ${redactUrl(request.url)} is larger than ${request.maxBytes} bytes`,
        why: 'answers are read up to a limit, so that a hostile or broken server cannot exhaust the runner',
        fix: 'check that the address is right, and that no proxy or login page answers in its place',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
