import type { Digest } from '@gitless/core';
import type { StoredManifest } from './store.ts';

/** What a token or a login may do with a repository (distribution, docs "Token Scope Documentation": `delete` is its own action). */
export type Action = 'pull' | 'push' | 'delete';

interface Login {
  readonly username: string;
  readonly password: string;
  /** Rights of the login; all when absent. */
  readonly allow?: (user: string, repository: string, action: Action) => boolean;
}

export type RegistryAuth =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'basic' } & Login)
  | ({
      readonly kind: 'bearer';
      /** Life of a token in seconds; 300 when absent. */
      readonly tokenTtlSeconds?: number;
      /** Clock for the expiry of tokens, so that a test can move it. */
      readonly now?: () => Date;
    } & Login);

export interface RegistryOptions {
  /** `false`: no referrers API and no `OCI-Subject`, as GHCR and distribution v2/v3. Default `true`. */
  readonly referrers?: boolean;
  /** Default: everybody may do everything. */
  readonly auth?: RegistryAuth;
  /** Largest page of a tag list that is asked for in pages; 1000 when absent, as distribution. */
  readonly tagsPerPage?: number;
  /** Tags that cannot be written twice, not even with the same digest (as ECR and Harbor). */
  readonly immutableTags?: (tag: string) => boolean;
}

/** One request as it came in. */
export interface LoggedRequest {
  readonly method: string;
  /** Request target as sent, with its query. */
  readonly path: string;
  /** 0 until answered, and for good when the connection was cut before an answer. */
  readonly status: number;
  /** The kind of credentials sent, never the credentials. */
  readonly authorization: 'none' | 'basic' | 'bearer';
}

/** How a request goes wrong. */
export type Fault =
  /** Answers this instead of doing anything. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Cuts the connection and does nothing. */
  | { readonly kind: 'reset' }
  /** Does what was asked, then cuts the connection: the answer is lost. */
  | { readonly kind: 'reset-after' }
  /** Does what was asked, announces the whole answer, and cuts the connection in the middle of its body. */
  | { readonly kind: 'truncate' }
  /** Does nothing and never answers, until the client gives up or the registry closes. */
  | { readonly kind: 'hang' };

/** `index` counts all requests of this registry from 0. */
export type OnRequest = (request: {
  readonly method: string;
  readonly path: string;
  readonly index: number;
}) => Fault | undefined;

export interface TagWrite {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
}

export interface TestRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** All requests in the order of their arrival. */
  readonly requests: readonly LoggedRequest[];
  /** Set it to make requests fail; set it to `undefined` to stop. */
  onRequest: OnRequest | undefined;
  /** Manifests of a repository in the order of their first push; none for an unknown repository. */
  manifests(repository: string): readonly StoredManifest[];
  /** Copy of a repository's tags. */
  tags(repository: string): Map<string, Digest>;
  /** Content of a blob, whichever repository holds it. */
  blob(digest: string): Uint8Array | undefined;
  /** Every write of a tag, in order, over all repositories. */
  readonly tagHistory: readonly TagWrite[];
  /** Writes `<dir>/<repository>/_tags/<tag>` (the digest) and `<dir>/<repository>/_manifests/sha256-<hex>.json` (the exact bytes). */
  dump(dir: string): Promise<void>;
  /** Stops listening and cuts every open connection. */
  close(): Promise<void>;
}
