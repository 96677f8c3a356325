import type { Access } from './auth.ts';

/** What a request is about (distribution-spec "Endpoints"). */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string };

/** A request as handlers see it. */
export interface RegistryRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

// distribution-spec "Pulling manifests": the grammars of <name> and of a tag.
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

export function isRepositoryName(value: string): boolean {
  return value.length <= 255 && NAME.test(value);
}

export function isTag(value: string): boolean {
  return TAG.test(value);
}

/** The route of a path, or `undefined` when there is none. The repository name is not judged here: it has its own error code. */
export function parseRoute(path: string): Route | undefined {
  if (path === '/v2/' || path === '/v2') {
    return { kind: 'base' };
  }
  const match =
    /^\/v2\/(?<repository>.+?)\/(?:(?<tags>tags\/list)|(?<uploads>blobs\/uploads\/?)|blobs\/uploads\/(?<id>[^/]+)|(?<kind>blobs|manifests|referrers)\/(?<last>[^/]+))$/.exec(
      path,
    );
  const { repository, tags, uploads, id, kind, last } = match?.groups ?? {};
  if (repository === undefined) {
    return undefined;
  }
  if (tags !== undefined) {
    return { kind: 'tags', repository };
  }
  if (uploads !== undefined) {
    return { kind: 'uploads', repository };
  }
  if (id !== undefined) {
    return { kind: 'upload', repository, id };
  }
  const reference = last ?? '';
  if (kind === 'manifests') {
    return { kind: 'manifest', repository, reference };
  }
  return { kind: kind === 'referrers' ? 'referrers' : 'blob', repository, digest: reference };
}

/**
 * What a request needs to be allowed to do, as distribution has it: who writes must be able to read too, and who mounts a
 * blob must be able to read where it comes from. Nothing but a login for the base route.
 */
export function accessOf(method: string, route: Route, url: URL): Access[] {
  if (route.kind === 'base') {
    return [];
  }
  const { repository } = route;
  const from = url.searchParams.get('from');
  const source: Access[] = from === null ? [] : [{ repository: from, action: 'pull' }];
  switch (method) {
    case 'GET':
    case 'HEAD':
      return [{ repository, action: 'pull' }, ...source];
    case 'DELETE':
      return [{ repository, action: 'delete' }, ...source];
    default:
      return [{ repository, action: 'pull' }, { repository, action: 'push' }, ...source];
  }
}
