import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { RunningRegistry } from './registry.ts';

// Plain requests: what a registry does is not judged by the client that is judged by it.

export const IMAGE_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends as the login of the registry, with whatever its challenge asks for. `target` is a path or a Location. */
type Send = (method: string, target: string, ask?: Ask) => Promise<Response>;

function sender(registry: RunningRegistry): Send {
  return async (method, target, { headers = {}, body } = {}) => {
    const url = new URL(target, `http://${registry.host}`);
    const send = (authorization: Record<string, string>) =>
      fetch(url, {
        method,
        headers: { ...headers, ...authorization },
        redirect: 'manual',
        ...(body === undefined ? {} : { body }),
      });
    const response = await send({});
    const challenge = response.headers.get('www-authenticate');
    if (response.status !== 401 || challenge === null) {
      return response;
    }
    return send({ authorization: await authorize(registry, challenge) });
  };
}

async function authorize(registry: RunningRegistry, challenge: string): Promise<string> {
  const basic = basicHeader(registry);
  return challenge.startsWith('Basic') ? basic : `Bearer ${await fetchToken(challenge, basic)}`;
}

export function basicHeader({ credentials }: RunningRegistry): string {
  return `Basic ${Buffer.from(`${credentials?.username}:${credentials?.password}`).toString('base64')}`;
}

/** The token that the service behind a challenge gives for what the challenge asks. */
export async function fetchToken(challenge: string, authorization: string): Promise<string> {
  const { realm = '', service = '', scope = '' } = challengeParams(challenge);
  const url = new URL(realm);
  url.searchParams.set('service', service);
  for (const one of scope.split(' ').filter((text) => text !== '')) {
    url.searchParams.append('scope', one);
  }
  const response = await fetch(url, { headers: { authorization } });
  return v.parse(v.object({ token: v.string() }), await response.json()).token;
}

/** `name="value"` pairs of the only challenge. */
export function challengeParams(challenge: string): Partial<Record<string, string>> {
  return Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}

const ErrorsSchema = v.object({
  errors: v.array(v.object({ code: v.string(), message: v.string(), detail: v.optional(v.unknown()) })),
});

/** Status and error codes, such as `404 BLOB_UNKNOWN`; the status alone where the body is not an error document. */
export async function answer(response: Response): Promise<string> {
  const codes = (await errorsOf(response)).map(({ code }) => code);
  return [response.status, ...codes].join(' ');
}

/** As {@link answer}, each code with its detail. */
export async function answerInFull(response: Response): Promise<string> {
  const codes = (await errorsOf(response)).map(({ code, detail }) => `${code} ${JSON.stringify(detail)}`);
  return [response.status, ...codes].join(' ');
}

async function errorsOf(response: Response): Promise<v.InferOutput<typeof ErrorsSchema>['errors']> {
  const text = await response.text();
  return text.startsWith('{"errors"') ? v.parse(ErrorsSchema, JSON.parse(text)).errors : [];
}

/** Path of the Location header, with `prefix` taken off; `nowhere` when there is none. */
export function location(response: Response, prefix: string): string {
  const value = response.headers.get('location');
  const path = value === null ? 'nowhere' : new URL(value, response.url).pathname;
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}

export function digestOf(content: string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

export const EMPTY = '{}';
export const EMPTY_LAYER = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(EMPTY), size: 2 };

/** An image manifest whose config and layer are the empty descriptor. */
export function image(members: object = {}): string {
  const layers = [EMPTY_LAYER];
  return JSON.stringify({ schemaVersion: 2, mediaType: IMAGE_TYPE, config: EMPTY_LAYER, layers, ...members });
}

export function index(manifests: readonly object[], members: object = {}): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests, ...members });
}

/** One repository, fresh for each question, with the empty blob and {@link image} under the tag `v1` in it. */
export interface Place {
  readonly send: Send;
  readonly repository: string;
  readonly referrers: boolean;
  /** Opens an upload and gives its Location. */
  upload(repository?: string): Promise<string>;
  pushBlob(content: string, repository?: string): Promise<Response>;
  putManifest(reference: string, body: string, type?: string): Promise<Response>;
  getManifest(reference: string, accept?: string): Promise<Response>;
}

export function placeIn(registry: RunningRegistry, repository: string): Place {
  const send = sender(registry);
  const upload = async (name = repository) => {
    const opened = await send('POST', `/v2/${name}/blobs/uploads/`);
    return new URL(opened.headers.get('location') ?? '', opened.url).href;
  };
  return {
    send,
    repository,
    referrers: registry.referrers,
    upload,
    pushBlob: async (content, name) =>
      send('PUT', withDigest(await upload(name), digestOf(content)), { body: content }),
    putManifest: (reference, body, type = IMAGE_TYPE) =>
      send('PUT', `/v2/${repository}/manifests/${reference}`, { body, headers: { 'content-type': type } }),
    getManifest: (reference, accept = IMAGE_TYPE) =>
      send('GET', `/v2/${repository}/manifests/${reference}`, { headers: { accept } }),
  };
}

export function withDigest(upload: string, digest: string): string {
  return `${upload}${upload.includes('?') ? '&' : '?'}digest=${digest}`;
}
