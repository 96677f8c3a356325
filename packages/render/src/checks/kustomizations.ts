import { posix } from 'node:path';
import { cutDocuments } from '../documents.ts';
import {
  isRemote,
  type KustomizationContent,
  type KustomizationReference,
  readKustomization,
  readPluginConfiguration,
  withoutUserInfo,
} from '../kustomization-walk.ts';
import { isMapping, parseYaml } from '../yaml.ts';
import { isPlaintext, isSopsFile, plaintextSecrets } from './plaintext-secret.ts';
import { type CheckProblem, decode, problemText, readDocuments, type TreeFile } from './report.ts';

export type Tree = ReadonlyMap<string, TreeFile>;

/** What a kustomization file draws on; a problem instead when it cannot be read. */
export function kustomizationOf(file: TreeFile): KustomizationContent | CheckProblem {
  const text = decode(file.content);
  try {
    return text === undefined
      ? { check: 'yaml-parses', file: file.path, message: 'is not UTF-8' }
      : readKustomization(file.path, text);
  } catch (error) {
    return { check: 'yaml-parses', file: file.path, message: problemText(error) };
  }
}

/** Everything that a kustomization, or a plugin's configuration, in `file` draws on and that is not in the tree or not sealed. */
export function contentProblems(tree: Tree, file: string, content: KustomizationContent): CheckProblem[] {
  return [
    ...content.references.flatMap((reference) => referenceProblem(tree, file, reference)),
    ...content.charts.map((field) => remote(file, `${field} pulls a chart: render it with the helm engine`)),
    ...secretSourceProblems(tree, file, content),
    ...content.inline.flatMap((inline) => inlineProblems(tree, file, inline)),
    ...content.references.flatMap((reference) => patchFileProblems(tree, file, reference)),
  ];
}

/** The same for a document that configures a builtin plugin (`apiVersion: builtin`), which generators name as a file. */
export function pluginProblems(tree: Tree, file: string, value: unknown): CheckProblem[] {
  return isMapping(value) && value['apiVersion'] === 'builtin'
    ? contentProblems(tree, file, readPluginConfiguration(value))
    : [];
}

/** Files that a kustomization reads as manifests, whatever their extension. */
export function referencedFiles(file: string, content: KustomizationContent): string[] {
  return content.references
    .filter(({ field }) => !/Generator\.|^openapi/.test(field))
    .map(({ value }) => placeOf(file, value));
}

function referenceProblem(tree: Tree, file: string, { field, value }: KustomizationReference): CheckProblem[] {
  if (isRemote(value)) {
    return [remote(file, `${field} names ${withoutUserInfo(value)}, which is fetched when the cluster builds it`)];
  }
  const shown = JSON.stringify(value.slice(0, 200));
  const place = placeOf(file, value);
  if (posix.isAbsolute(value) || place === '..' || place.startsWith('../')) {
    return [remote(file, `${field} names ${shown}, which lies outside the tree`)];
  }
  if (!exists(tree, place)) {
    return [remote(file, `${field} names ${shown}, which is not in the tree`)];
  }
  return [];
}

function placeOf(file: string, value: string): string {
  return posix.normalize(posix.join(posix.dirname(file), value)).replace(/\/$/, '');
}

function exists(tree: Tree, place: string): boolean {
  return place === '.' || tree.has(place) || [...tree.keys()].some((path) => path.startsWith(`${place}/`));
}

function secretSourceProblems(tree: Tree, file: string, content: KustomizationContent): CheckProblem[] {
  return content.secrets.flatMap(({ name, literals, files }) => {
    const clear = literals.filter((literal) => isPlaintext(literal.slice(literal.indexOf('=') + 1)));
    const open = files.filter((path) => {
      const source = tree.get(placeOf(file, path));
      return source !== undefined && !isSopsFile(decode(source.content) ?? '');
    });
    return [
      ...clear.map((literal) => `literal ${literal.split('=')[0]}`),
      ...open.map((path) => `${path}, which is not encrypted`),
    ].map((what) => plaintext(file, `the secret generator ${name} takes ${what}`));
  });
}

function inlineProblems(tree: Tree, file: string, inline: KustomizationContent['inline'][number]): CheckProblem[] {
  const { field, text, targetKind } = inline;
  return cutDocuments(text).flatMap((document) => {
    let value: unknown;
    try {
      value = parseYaml(`${file} (${field})`, document.text, document.line);
    } catch (error) {
      return [{ check: 'yaml-parses' as const, file, message: problemText(error) }];
    }
    return [
      ...pluginProblems(tree, file, value),
      ...plaintextSecrets(value).map((message) => plaintext(file, `${field}: ${message}`)),
      ...(PATCH_FIELD.test(field) ? patchProblems(file, field, value, targetKind) : []),
    ];
  });
}

const PATCH_FIELD = /^patches(?:Json6902)?(?:\.path)?$/;

/** A patch in a file of its own; the file's own pass looks for whole Secrets and reports what does not parse. */
function patchFileProblems(tree: Tree, file: string, reference: KustomizationReference): CheckProblem[] {
  const source = PATCH_FIELD.test(reference.field) ? tree.get(placeOf(file, reference.value)) : undefined;
  return source === undefined
    ? []
    : readDocuments(source).documents.flatMap(({ value }) =>
        patchProblems(file, reference.field, value, reference.targetKind),
      );
}

/** What a patch puts into a Secret: RFC 6902 operations, or a strategic merge patch, whose own kind counts for nothing beside a target's. */
function patchProblems(file: string, field: string, patch: unknown, targetKind: string | undefined): CheckProblem[] {
  if (!mayBeSecret(targetKind)) {
    return [];
  }
  if (!Array.isArray(patch)) {
    const isMeant = isMapping(patch) && patch['kind'] !== 'Secret' && targetKind !== undefined;
    return (isMeant ? plaintextSecrets({ ...patch, apiVersion: 'v1', kind: 'Secret' }) : []).map((message) =>
      plaintext(file, `${field}: ${message}`),
    );
  }
  return patch
    .filter(isMapping)
    .filter((one) => /^\/(?:data|stringData)(?:\/|$)/.test(String(one['path'])) && isPlaintext(one['value']))
    .map(({ path }) => {
      const what = `${field} writes ${String(path).slice(0, 200)}`;
      return plaintext(
        file,
        targetKind === 'Secret'
          ? `${what} of a Secret in the clear`
          : `${what} in the clear, of a Secret perhaps: name the kind in target`,
      );
    });
}

/** A target's kind is a regular expression (kustomize api/types/selector.go); without one every kind is meant. */
function mayBeSecret(targetKind: string | undefined): boolean {
  return targetKind === undefined || targetKind === 'Secret' || !/^[A-Za-z]+$/.test(targetKind);
}

function remote(file: string, message: string): CheckProblem {
  return { check: 'no-remote-base', file, message };
}

function plaintext(file: string, message: string): CheckProblem {
  return { check: 'no-plaintext-secret', file, message };
}
