import type { ServerResponse } from 'node:http';
import type { Reply } from './reply.ts';

/** Sends a whole answer. HEAD gets the headers of GET, Content-Length included (RFC 9110 §9.3.2). */
export function deliver(response: ServerResponse, method: string, reply: Reply): void {
  response.writeHead(reply.status, headersOf(reply));
  response.end(method === 'HEAD' ? undefined : reply.body);
}

/** Sends the first half of the body under the Content-Length of the whole, then cuts. Without a body the answer is lost as a whole. */
export function deliverTruncated(response: ServerResponse, method: string, reply: Reply): void {
  if (method === 'HEAD' || reply.body.length === 0) {
    cut(response);
    return;
  }
  response.writeHead(reply.status, headersOf(reply));
  response.write(reply.body.subarray(0, Math.floor(reply.body.length / 2)), () => response.destroy());
}

/** TCP reset: the client sees ECONNRESET. */
export function cut(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

function headersOf(reply: Reply): Record<string, string> {
  const length = [204, 304].includes(reply.status) ? {} : { 'content-length': String(reply.body.length) };
  return { 'docker-distribution-api-version': 'registry/2.0', ...length, ...reply.headers };
}
