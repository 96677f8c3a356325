import { cutDocuments } from './documents.ts';
import { isMapping, parseYaml } from './yaml.ts';

/** Names that kustomize recognises (kustomize api/konfig/general.go). */
export const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

export function isKustomizationFile(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return KUSTOMIZATION_NAMES.some((known) => known === name);
}

/** A place that a kustomization reads from. */
export interface KustomizationReference {
  readonly field: string;
  /** As written, relative to the kustomization's folder if it is local. */
  readonly value: string;
  /** Of a patch: the kind that its target names. */
  readonly targetKind?: string;
}

interface SecretSource {
  readonly name: string;
  /** `key=value` as written. */
  readonly literals: readonly string[];
  /** Paths of files and env files. */
  readonly files: readonly string[];
}

/** What a kustomization (or a builtin plugin's configuration) draws on. */
export interface KustomizationContent {
  readonly references: readonly KustomizationReference[];
  /** YAML written in place of a path: patches, generators, transformers. */
  readonly inline: readonly { readonly field: string; readonly text: string; readonly targetKind?: string }[];
  readonly secrets: readonly SecretSource[];
  /** Fields that make kustomize pull a chart. */
  readonly charts: readonly string[];
}

const PATH_LISTS = ['resources', 'bases', 'components', 'crds', 'configurations'];
const PATH_OR_INLINE_LISTS = ['generators', 'transformers', 'validators', 'patchesStrategicMerge'];
const PATCH_LISTS = ['patches', 'patchesJson6902', 'replacements'];
const CHART_FIELDS = ['helmCharts', 'helmChartInflationGenerator'];

/**
 * Reads everything in a kustomization file that names other content (kustomize api/types/kustomization.go).
 * Throws `YAML_INVALID`.
 */
export function readKustomization(file: string, text: string): KustomizationContent {
  return combine(cutDocuments(text).map((document) => contentOf(parseYaml(file, document.text, document.line))));
}

/** As {@link readKustomization}, for the configuration of a builtin plugin, which a kustomization may name as a file. */
export function readPluginConfiguration(value: Readonly<Record<string, unknown>>): KustomizationContent {
  const name = String(value['kind']);
  const paths = ['path', 'paths', 'resources'].flatMap((field) =>
    references(`${name}.${field}`, members(value, field)),
  );
  const generated = generatorContent(name, name === 'SecretGenerator', value);
  return combine([
    { ...EMPTY, references: paths, charts: name === 'HelmChartInflationGenerator' ? [name] : [] },
    generated,
    contentOf({ replacements: members(value, 'replacements').flat() }),
  ]);
}

/**
 * Whether kustomize would take `value` from elsewhere: a URL with any scheme, `git::`, `user@host:path`, `github.com/…`,
 * a `?ref=` query, or `host/org/repo//path` of older releases (kustomize api/internal/git/repospec.go, loader/fileloader.go).
 */
export function isRemote(value: string): boolean {
  return REMOTE_FORMS.some((form) => form.test(value));
}

/** An address can carry a password. */
export function withoutUserInfo(address: string): string {
  return address.replace(/\/\/[^/@]*@/, '//').slice(0, 200);
}

const REMOTE_FORMS = [
  /^\s*[a-z][a-z0-9+.-]*:\/\//i,
  /^(?:[a-z0-9]+::|https?:|gh:)/i,
  /^[a-z][a-z0-9-]*@[^/]*[:/]/i,
  /^github\.com[/:]/i,
  /^[^\s"'{}?]*\?(?:\S*[&?])?(?:ref|version|timeout|submodules)=/,
  /^[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+(?::\d+)?\/.*(?:\/\/|\.git(?:\/|$)|_git\/)/i,
];

const EMPTY: KustomizationContent = { references: [], inline: [], secrets: [], charts: [] };

function combine(parts: readonly KustomizationContent[]): KustomizationContent {
  return {
    references: parts.flatMap((part) => part.references),
    inline: parts.flatMap((part) => part.inline),
    secrets: parts.flatMap((part) => part.secrets),
    charts: parts.flatMap((part) => part.charts),
  };
}

function contentOf(value: unknown): KustomizationContent {
  if (!isMapping(value)) {
    return EMPTY;
  }
  return combine([
    { ...EMPTY, references: PATH_LISTS.flatMap((field) => references(field, members(value, field))) },
    ...PATH_OR_INLINE_LISTS.map((field) => pathsOrInline(field, members(value, field))),
    ...PATCH_LISTS.map((field) => patches(field, members(value, field))),
    ...members(value, 'openapi').map((openapi) => ({
      ...EMPTY,
      references: references('openapi', members(openapi, 'path')),
    })),
    ...['configMapGenerator', 'secretGenerator'].flatMap((field) =>
      members(value, field)
        .flat()
        .map((generator) => generatorContent(field, field === 'secretGenerator', generator)),
    ),
    { ...EMPTY, charts: CHART_FIELDS.filter((field) => members(value, field).flat().some(isMapping)) },
  ]);
}

/**
 * Every member that Go's JSON decoder would take for `name`: kustomize matches keys without regard to case, with
 * Unicode folding (encoding/json "Unmarshal").
 */
function members(value: unknown, name: string): unknown[] {
  if (!isMapping(value)) {
    return [];
  }
  return Object.entries(value)
    .filter(([key]) => folded(key) === folded(name))
    .map(([, member]) => member);
}

function folded(key: string): string {
  return key.toUpperCase().toLowerCase();
}

function references(field: string, values: readonly unknown[]): KustomizationReference[] {
  return strings(values).map((value) => ({ field, value }));
}

function strings(values: readonly unknown[]): string[] {
  return values.flat().filter((value) => typeof value === 'string');
}

function pathsOrInline(field: string, values: readonly unknown[]): KustomizationContent {
  const all = references(field, values);
  const isInline = (value: string) => !isRemote(value) && /\n|^\s*\{/.test(value);
  return {
    ...EMPTY,
    references: all.filter(({ value }) => !isInline(value)),
    inline: all.filter(({ value }) => isInline(value)).map(({ value }) => ({ field, text: value })),
  };
}

function patches(field: string, values: readonly unknown[]): KustomizationContent {
  return combine(
    values.flat().map((patch) => {
      const [kind] = strings(members(patch, 'target').flatMap((target) => members(target, 'kind')));
      const target = kind === undefined ? {} : { targetKind: kind };
      return {
        ...EMPTY,
        references: references(`${field}.path`, members(patch, 'path')).map((one) => ({ ...one, ...target })),
        inline: strings(members(patch, 'patch')).map((text) => ({ field, text, ...target })),
      };
    }),
  );
}

/** `files` entries are `[key=]path` (kustomize api/internal/generators, `ParseFileSource`). */
function generatorContent(field: string, isSecret: boolean, generator: unknown): KustomizationContent {
  const files = references(`${field}.files`, members(generator, 'files')).map((reference) => ({
    ...reference,
    value: reference.value.slice(reference.value.indexOf('=') + 1),
  }));
  const envs = ['envs', 'env'].flatMap((name) => references(`${field}.${name}`, members(generator, name)));
  const all = [...files, ...envs];
  const secret = {
    name: strings(members(generator, 'name'))[0] ?? '(unnamed)',
    literals: strings(members(generator, 'literals')),
    files: all.map(({ value }) => value),
  };
  return { ...EMPTY, references: all, secrets: isSecret ? [secret] : [] };
}
