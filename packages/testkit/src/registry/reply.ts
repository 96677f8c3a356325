/** An answer before it is sent; handlers return it and never touch the socket. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** One entry of an error body (distribution-spec "Error Codes"); the last group are codes of registries outside of it. */
export interface ProtocolError {
  readonly code:
    | 'BLOB_UNKNOWN'
    | 'BLOB_UPLOAD_UNKNOWN'
    | 'DIGEST_INVALID'
    | 'MANIFEST_BLOB_UNKNOWN'
    | 'MANIFEST_INVALID'
    | 'MANIFEST_UNKNOWN'
    | 'NAME_UNKNOWN'
    | 'UNAUTHORIZED'
    | 'DENIED'
    | 'UNSUPPORTED'
    | 'PAGINATION_NUMBER_INVALID'
    | 'RANGE_INVALID'
    | 'TAG_INVALID';
  readonly message: string;
  readonly detail?: unknown;
}

export function reply(status: number, headers: Readonly<Record<string, string>> = {}, body?: Uint8Array): Reply {
  return { status, headers, body: body ?? new Uint8Array() };
}

/** Where there is no endpoint, distribution's router answers before the registry does. */
export function notFound(): Reply {
  return reply(404, { 'content-type': 'text/plain; charset=utf-8' }, Buffer.from('404 page not found\n'));
}

/** `allowed` are the methods of the endpoint. */
export function notAllowed(...allowed: readonly string[]): Reply {
  const headers = { 'content-type': 'text/plain; charset=utf-8', allow: allowed.join(', ') };
  return reply(405, headers, Buffer.from('Method not allowed\n'));
}

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  const body = Buffer.from(JSON.stringify(value));
  return reply(status, { 'content-type': 'application/json', ...headers }, body);
}

/** `{"errors":[{code, message, detail}]}` (distribution-spec "Error Codes"). */
export function errors(
  status: number,
  list: readonly ProtocolError[],
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return json(status, { errors: list }, headers);
}

export function fail(status: number, code: ProtocolError['code'], message: string, detail?: unknown): Reply {
  return errors(status, [{ code, message, ...(detail === undefined ? {} : { detail }) }]);
}
