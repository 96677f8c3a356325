import { type Context, type HttpRequest, type HttpResponse, UserError } from '@gitless/core';
import { type Authorizer, type Credentials, createAuthorizer } from './authorizer.ts';
import { isTransferAllowed, registryOrigin } from './origin.ts';
import { isRepositoryPath } from './reference.ts';
import { registryError } from './registry-error.ts';

export interface RegistryOptions {
  /** `host[:port]`. */
  readonly registry: string;
  readonly credentials: Credentials;
  /** Allows http to a registry on this machine. */
  readonly plainHttp: boolean;
}

interface RegistryRequest extends HttpRequest {
  readonly scopes: readonly string[];
  /** Never sends Authorization: after a redirect has once left the registry's origin. */
  readonly anonymous?: boolean;
}

/** Requests to one registry: Authorization goes to its own origin (scheme, host and port) only. */
export interface Transport {
  readonly registry: string;
  /** `/v2/<repository>/<path>`. Throws `BAD_REFERENCE` for what is not a repository path. */
  url(repository: string, path: string): URL;
  isOwn(url: URL): boolean;
  /** Sends, and once more with fresh credentials after a 401. Follows no redirect. Throws `REDIRECT_REFUSED`. */
  send(request: RegistryRequest): Promise<HttpResponse>;
  failure(response: HttpResponse, action: string): UserError;
}

/** Throws `BAD_REFERENCE` or `PLAIN_HTTP_REFUSED`. */
export function createTransport(context: Context, options: RegistryOptions): Transport {
  const { registry, credentials, plainHttp } = options;
  const origin = registryOrigin(registry, plainHttp);
  const authorizer: Authorizer = createAuthorizer(context, { registry, origin, plainHttp }, credentials);

  function isOwn(url: URL): boolean {
    return url.origin === origin.origin;
  }

  function once(request: RegistryRequest, authorization: string | undefined): Promise<HttpResponse> {
    const { scopes: _scopes, anonymous: _anonymous, headers, ...rest } = request;
    return context.http.send({
      ...rest,
      headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
    });
  }

  return {
    registry,
    isOwn,
    url(repository, path) {
      if (!isRepositoryPath(repository)) {
        throw new UserError({
          code: 'BAD_REFERENCE',
          what: `${JSON.stringify(repository)} is not a repository path`,
          fix: 'use lower-case letters and digits, separated by "/", ".", "_", "__" or "-"',
        });
      }
      return new URL(`/v2/${repository}/${path}`, origin);
    },
    async send(request) {
      if (!isTransferAllowed(request.url, plainHttp)) {
        throw new UserError({
          code: 'REDIRECT_REFUSED',
          what: `${registry} sends us to ${request.url.origin}`,
          why: 'content travels over https only (http: to this machine, and only when plain http is on)',
          fix: 'tell those who run the registry',
        });
      }
      if (request.anonymous === true || !isOwn(request.url)) {
        return await once(request, undefined);
      }
      const used = authorizer.known(request.scopes);
      const response = await once(request, used);
      if (response.status !== 401) {
        return response;
      }
      const authorization = await authorizer.answer(response, request.scopes, used);
      return authorization === undefined ? response : await once(request, authorization);
    },
    failure: (response, action) => registryError({ response, registry, action, credentials: credentials.kind }),
  };
}
