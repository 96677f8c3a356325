import { type Digest, isDigest, UserError } from '@gitless/core';

/** A repository in a registry. */
export interface Repository {
  /** `host` or `host:port`, lower case. */
  readonly registry: string;
  /** Path below the host, such as `acme/web`. */
  readonly repository: string;
}

export interface Reference extends Repository {
  readonly tag?: string;
  readonly digest?: Digest;
}

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-f:]+\\])(?::[0-9]{1,5})?$`);
const SEGMENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${SEGMENT}(?:/${SEGMENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** Host and path together (distribution `reference.RepositoryNameTotalLengthMax`). */
const NAME_MAX = 255;
/** The longest name, tag and digest with their separators. */
const TEXT_MAX = NAME_MAX + 1 + 128 + 1 + 71;

/** Whether `text` is a tag (OCI distribution-spec, "Pulling manifests"). */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether `text` is a registry host, `host[:port]` in lower case (distribution `reference`, `domain`). */
export function isRegistryHost(text: string): boolean {
  return text.length <= NAME_MAX && HOST.test(text) && URL.canParse(`https://${text}`);
}

/** Whether `text` is a repository path (OCI distribution-spec, `<name>`): no empty, `.` or `..` segment can occur. */
export function isRepositoryPath(text: string): boolean {
  return text.length <= NAME_MAX && REPOSITORY.test(text);
}

/**
 * Parses `host[:port]/path[:tag][@digest]` (grammar of github.com/distribution/reference), without its defaults: a
 * host is always written out, so that nobody can be sent to another registry by a short name.
 * Throws `BAD_REFERENCE`, naming `field`.
 */
export function parseReference(field: string, text: string): Reference {
  const bad = refusal(field, text);
  if (text.length > TEXT_MAX) {
    throw bad('it is too long', `use at most ${NAME_MAX} characters for host and path`);
  }
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.exec(text)?.[0];
  if (scheme !== undefined) {
    throw bad('a reference has no scheme', `write ${JSON.stringify(text.slice(scheme.length))}`);
  }
  const [named = '', digest, ...more] = text.split('@');
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const tag = tagged ? named.slice(colon + 1) : undefined;
  const name = parseName(tagged ? named.slice(0, colon) : named, bad);
  if (tag !== undefined && !isTag(tag)) {
    throw bad('its tag is not valid', 'use up to 128 letters, digits, "_", "." and "-", not starting with "." or "-"');
  }
  if (more.length > 0 || (digest !== undefined && !isDigest(digest))) {
    throw bad('its digest is not valid', 'write @sha256: followed by 64 lower-case hex digits');
  }
  return {
    ...name,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** As {@link parseReference}, but with neither tag nor digest. Throws `BAD_REFERENCE`, naming `field`. */
export function parseRepository(field: string, text: string): Repository {
  const { registry, repository, tag, digest } = parseReference(field, text);
  if (tag !== undefined || digest !== undefined) {
    throw refusal(field, text)('it names a tag or a digest', `write ${JSON.stringify(`${registry}/${repository}`)}`);
  }
  return { registry, repository };
}

/** The text that {@link parseReference} reads back as `reference`. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

type Refusal = (why: string, fix: string) => UserError;

function refusal(field: string, text: string): Refusal {
  const shown = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
  return (why, fix) =>
    new UserError({ code: 'BAD_REFERENCE', what: `${field} is ${shown}, which cannot be used`, why, fix });
}

function parseName(name: string, bad: Refusal): Repository {
  if (name !== name.toLowerCase()) {
    throw bad('host and path are lower case', `write ${JSON.stringify(name.toLowerCase())}`);
  }
  const slash = name.indexOf('/');
  const registry = name.slice(0, Math.max(slash, 0));
  const repository = name.slice(slash + 1);
  if (slash < 0 || !looksLikeHost(registry)) {
    throw bad('it does not start with a registry host', 'write the host out, such as ghcr.io/acme/web');
  }
  if (!isRegistryHost(registry)) {
    throw bad('its host is not valid', 'write host or host:port, such as ghcr.io or localhost:5000');
  }
  if (!isRepositoryPath(repository) || name.length > NAME_MAX) {
    throw bad('its path is not valid', 'use lower-case letters and digits, separated by "/", ".", "_", "__" or "-"');
  }
  if (registry === 'docker.io' && !repository.includes('/')) {
    throw bad('Docker Hub paths have two parts', `write "docker.io/library/${repository}" or your own organisation`);
  }
  return { registry, repository };
}

function looksLikeHost(segment: string): boolean {
  return segment === 'localhost' || /[.:]/.test(segment);
}
