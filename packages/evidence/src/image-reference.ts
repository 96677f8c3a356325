import type { FoundImage } from './images.ts';

/** An image reference as written: nothing is filled in, since only the cluster's runtime knows its defaults. */
export interface ImageName {
  /** `ghcr.io/acme/web`, `nginx`. */
  readonly repository: string;
  readonly tag?: string;
}

/** Repository and tag of a reference (distribution/reference grammar): a `:` after the last `/` begins the tag. */
export function imageName(reference: string): ImageName {
  const [named = ''] = reference.split('@', 1);
  const colon = named.lastIndexOf(':');
  return colon > named.lastIndexOf('/')
    ? { repository: named.slice(0, colon), tag: named.slice(colon + 1) }
    : { repository: named };
}

/**
 * `pkg:oci/web@sha256%3A…?repository_url=ghcr.io%2Facme%2Fweb&tag=v1` (purl-spec, "oci"), or undefined when the
 * reference names no digest, without which that type has no version. A repository without a registry's host gets no
 * `repository_url`.
 */
export function imagePurl(image: FoundImage): string | undefined {
  if (image.digest === undefined) {
    return undefined;
  }
  const { repository, tag } = imageName(image.reference);
  const [host = '', ...rest] = repository.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(host) || host === 'localhost');
  const qualifiers = [
    ...(hasHost ? [`repository_url=${encodeURIComponent(repository)}`] : []),
    ...(tag === undefined ? [] : [`tag=${encodeURIComponent(tag)}`]),
  ];
  const name = encodeURIComponent((rest.at(-1) ?? host).toLowerCase());
  const query = qualifiers.length === 0 ? '' : `?${qualifiers.join('&')}`;
  return `pkg:oci/${name}@${encodeURIComponent(image.digest)}${query}`;
}
