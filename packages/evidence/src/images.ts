import { type Digest, isDigest, UserError } from '@gitless/core';
import { compareText } from './order.ts';

/** A parsed Kubernetes object and the file it stands in. */
export interface ManifestObject {
  readonly file: string;
  readonly value: unknown;
}

export interface ImageOccurrence {
  readonly file: string;
  /** Field path as Kubernetes writes it, `spec.template.spec.containers[0].image`. */
  readonly path: string;
}

export interface FoundImage {
  /** As written in the manifest. */
  readonly reference: string;
  readonly digest?: Digest;
  /** Whether the reference names a digest, so that the image cannot change under it. */
  readonly pinned: boolean;
  readonly occurrences: readonly ImageOccurrence[];
}

const CONTAINER_LISTS = new Set(['containers', 'initContainers', 'ephemeralContainers']);
const MAX_DEPTH = 100;
const MAX_VALUES = 1_000_000;

/**
 * The images that `objects` name: `image` in any list of containers, init containers or ephemeral containers, and
 * `image.reference` in any list of volumes, in every kind except CustomResourceDefinition, whose schemas only describe
 * such fields (Kubernetes core/v1 PodSpec; Kustomize `builtinpluginconsts/images.go` and its LegacyFilter). Images that
 * arguments, environment variables or an operator's own fields name are not found.
 *
 * One entry a reference, sorted. Throws `MANIFEST_TOO_COMPLEX` for objects that aliases or nesting blow up.
 */
export function findImages(objects: readonly ManifestObject[]): FoundImage[] {
  const found = new Map<string, ImageOccurrence[]>();
  for (const { file, value } of objects) {
    for (const { reference, path } of imagesIn(file, value)) {
      const occurrences = found.get(reference) ?? [];
      occurrences.push({ file, path });
      found.set(reference, occurrences);
    }
  }
  return [...found]
    .sort(([a], [b]) => compareText(a, b))
    .map(([reference, occurrences]) => {
      const digest = digestIn(reference);
      return {
        reference,
        ...(digest === undefined ? {} : { digest }),
        pinned: digest !== undefined,
        occurrences: occurrences.sort((a, b) => compareText(a.file, b.file) || compareText(a.path, b.path)),
      };
    });
}

interface Image {
  readonly reference: string;
  readonly path: string;
}

function imagesIn(file: string, root: unknown): Image[] {
  const images: Image[] = [];
  let values = 0;

  function visit(value: unknown, path: string, depth: number): void {
    values += 1;
    // Aliases make a small YAML file a huge or endless tree.
    if (depth > MAX_DEPTH || values > MAX_VALUES) {
      throw tooComplex(file);
    }
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        visit(item, `${path}[${index}]`, depth + 1);
      }
    } else if (isObject(value) && value['kind'] !== 'CustomResourceDefinition') {
      for (const [key, member] of Object.entries(value)) {
        const below = fieldPath(path, key);
        images.push(...imagesOfList(key, member, below));
        visit(member, below, depth + 1);
      }
    }
  }

  visit(root, '', 0);
  return images;
}

/** The images of `member` if it is a list of containers or of volumes. */
function imagesOfList(key: string, member: unknown, path: string): Image[] {
  if (!Array.isArray(member) || !(CONTAINER_LISTS.has(key) || key === 'volumes')) {
    return [];
  }
  return member.flatMap((item, index) => {
    const image = isObject(item) ? item['image'] : undefined;
    const [reference, field] =
      key === 'volumes' ? [isObject(image) ? image['reference'] : undefined, 'image.reference'] : [image, 'image'];
    return typeof reference === 'string' && reference !== '' ? [{ reference, path: `${path}[${index}].${field}` }] : [];
  });
}

function digestIn(reference: string): Digest | undefined {
  const digest = reference.slice(reference.lastIndexOf('@') + 1);
  return reference.includes('@') && isDigest(digest) ? digest : undefined;
}

function fieldPath(path: string, key: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(key)) {
    return `${path}[${JSON.stringify(key)}]`;
  }
  return path === '' ? key : `${path}.${key}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tooComplex(file: string): UserError {
  return new UserError({
    code: 'MANIFEST_TOO_COMPLEX',
    what: `an object in ${JSON.stringify(file)} cannot be searched for images`,
    why: `it nests deeper than ${MAX_DEPTH} levels or has more than ${MAX_VALUES} values, aliases counted each time`,
    fix: 'write the object without self-referring or multiplying YAML aliases',
  });
}
