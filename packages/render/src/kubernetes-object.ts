import { UserError } from '@gitless/core';
import { type CutDocument, cutDocuments } from './documents.ts';
import { isMapping, parseYaml } from './yaml.ts';

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** `metadata.name`, else `metadata.generateName`. */
  readonly name: string;
  readonly namespace?: string;
  /** The document as written. */
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/**
 * Every object of a YAML stream, with its text as written; `${VAR}` of Flux's post-build substitution passes untouched.
 * Throws `YAML_INVALID`, or `OBJECT_INVALID` naming file and document when apiVersion, kind or name is missing or the
 * document is a `List`.
 */
export function parseObjects(file: string, text: string): KubernetesObject[] {
  return cutDocuments(text).map((document, index) => {
    const where = `${file}, document ${index + 1} (line ${document.line})`;
    return objectOf(where, document, parseYaml(file, document.text, document.line));
  });
}

/** The object in one parsed document; `where` names it in messages. Throws `OBJECT_INVALID`. */
export function objectOf(where: string, document: CutDocument, value: unknown): KubernetesObject {
  if (!isMapping(value)) {
    throw invalid(`${where} is no Kubernetes object`, 'every document needs apiVersion, kind and metadata.name');
  }
  if (isList(value)) {
    throw invalid(
      `${where} is a ${String(value['kind'])}`,
      'write its items as documents of their own, separated by ---: a list cannot be cut as text',
    );
  }
  const metadata = isMapping(value['metadata']) ? value['metadata'] : {};
  const namespace = metadata['namespace'];
  return {
    apiVersion: requireText(where, 'apiVersion', value['apiVersion']),
    kind: requireText(where, 'kind', value['kind']),
    name: requireText(where, 'metadata.name', metadata['name'] ?? metadata['generateName']),
    ...(namespace === undefined || namespace === null
      ? {}
      : { namespace: requireText(where, 'metadata.namespace', namespace) }),
    text: document.text,
    value,
  };
}

/** A collection that kubectl, kustomize and Flux take apart into its items (apimachinery `unstructured.IsList`). */
function isList(value: Readonly<Record<string, unknown>>): boolean {
  return String(value['kind']).endsWith('List') && Array.isArray(value['items']);
}

function requireText(where: string, field: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') {
    return value;
  }
  const seen = value === undefined || value === null || value === '' ? 'no' : `a ${typeof value} as`;
  throw invalid(
    `${where} has ${seen} ${field}`,
    `give ${field} as a string, quoted if it reads as a number or boolean`,
  );
}

function invalid(what: string, fix: string): UserError {
  return new UserError({ code: 'OBJECT_INVALID', what, fix });
}
