import { errorMessage, UserError } from '@gitless/core';
import { type CutDocument, cutDocuments } from '../documents.ts';
import type { KubernetesObject } from '../kubernetes-object.ts';
import { parseYaml } from '../yaml.ts';

export interface TreeFile {
  /** POSIX, relative to the component's root. */
  readonly path: string;
  readonly content: Uint8Array;
}

/** Stable identifiers: they go into signed statements. */
export const CHECKS = {
  'yaml-parses': 'every YAML document parses, with unique keys and bounded aliases',
  'object-identity': 'every document is a Kubernetes object with apiVersion, kind and name',
  'no-duplicate-objects': 'no object occurs twice in an environment',
  'no-plaintext-secret': 'no Secret, and no generator of one, holds values in the clear',
  'no-remote-base': 'no kustomization names content outside the tree',
} as const;

export type CheckName = keyof typeof CHECKS;

export interface CheckProblem {
  readonly check: CheckName;
  readonly file: string;
  readonly message: string;
}

export interface CheckReport {
  /** Those that ran. */
  readonly checks: readonly { readonly name: CheckName; readonly description: string }[];
  /** Empty: all passed. */
  readonly problems: readonly CheckProblem[];
  readonly objects: readonly { readonly file: string; readonly object: KubernetesObject }[];
}

export function checksOf(...names: readonly CheckName[]): CheckReport['checks'] {
  return names.map((name) => ({ name, description: CHECKS[name] }));
}

export interface TreeDocument {
  readonly file: string;
  /** `file, document n`, for messages. */
  readonly where: string;
  readonly document: CutDocument;
  readonly value: unknown;
}

/** All documents of one file that parse; the others become problems. */
export function readDocuments(file: TreeFile): { documents: TreeDocument[]; problems: CheckProblem[] } {
  const documents: TreeDocument[] = [];
  const problems: CheckProblem[] = [];
  const text = decode(file.content);
  if (text === undefined) {
    return { documents, problems: [{ check: 'yaml-parses', file: file.path, message: 'is not UTF-8' }] };
  }
  for (const [index, document] of cutDocuments(text).entries()) {
    try {
      const value = parseYaml(file.path, document.text, document.line);
      documents.push({ file: file.path, where: `${file.path}, document ${index + 1}`, document, value });
    } catch (error) {
      problems.push({ check: 'yaml-parses', file: file.path, message: problemText(error) });
    }
  }
  return { documents, problems };
}

/** What a user's error says, without its code. Anything else is a defect and passes through. */
export function problemText(error: unknown): string {
  if (!(error instanceof UserError)) {
    throw error;
  }
  const { what, cause } = error.problem;
  return cause === undefined ? what : `${what}: ${errorMessage(cause)}`;
}

/** UTF-8 text, `undefined` for anything else. */
export function decode(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

export function isYamlFile(path: string): boolean {
  return /\.ya?ml$/.test(path);
}
