import { type Answer, jsonAnswer } from '../oidc/loopback-server.ts';

/** Status codes of gRPC with the HTTP status that grpc-gateway gives them. */
const GRPC = {
  invalidArgument: { status: 400, code: 3 },
  notFound: { status: 404, code: 5 },
  unimplemented: { status: 501, code: 12 },
  alreadyExists: { status: 409, code: 6 },
} as const;

/** An error as grpc-gateway writes it, which is what Fulcio and rekor-tiles answer. */
export function grpcError(
  kind: keyof typeof GRPC,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const { status, code } = GRPC[kind];
  return jsonAnswer(status, { code, message, details: [] }, headers);
}

/** `body` as JSON, `undefined` when it is none. */
export function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/**
 * `body` as a protobuf message in JSON; an empty one is an empty message. Where it is none, `syntaxError` is what
 * grpc-gateway says (encoding/json first, then protojson).
 */
export function readMessage(body: Buffer): { readonly message: unknown; readonly syntaxError?: string } {
  const text = body.toString().trim();
  const message = text === '' ? {} : parseBody(body);
  if (message === undefined) {
    return { message, syntaxError: `invalid character '${text[0]}' looking for beginning of value` };
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    const token = /^(?:[a-z]+|\[)/.exec(text)?.[0] ?? text;
    return { message, syntaxError: `proto: syntax error (line 1:1): unexpected token ${token}` };
  }
  return { message };
}

/** The value at `path` inside parsed JSON. */
export function valueAt(json: unknown, ...path: readonly string[]): unknown {
  let value = json;
  for (const name of path) {
    value =
      typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
  }
  return value;
}

/** The text at `path`, `''` when there is none: protobuf's default. */
export function textAt(json: unknown, ...path: readonly string[]): string {
  const value = valueAt(json, ...path);
  return typeof value === 'string' ? value : '';
}

/** The base64 bytes at `path`, empty when there are none. */
export function bytesAt(json: unknown, ...path: readonly string[]): Buffer {
  return Buffer.from(textAt(json, ...path), 'base64');
}
