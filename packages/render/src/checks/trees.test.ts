import { describe, expect, it } from 'vitest';
import type { CheckReport } from './report.ts';
import { checkRenderedTree, checkSourceTree } from './trees.ts';

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n';

function tree(files: Readonly<Record<string, string>>) {
  return Object.entries(files).map(([path, text]) => ({ path, content: new TextEncoder().encode(text) }));
}

function secret(rest: string): string {
  return `apiVersion: v1\nkind: Secret\nmetadata: {name: token}\n${rest}\n`;
}

function lines({ problems }: CheckReport): string[] {
  return problems.map(({ check, file, message }) => `${check} ${file}: ${message}`);
}

const rendered = (files: Readonly<Record<string, string>>) => lines(checkRenderedTree(tree(files)));
const source = (files: Readonly<Record<string, string>>) => lines(checkSourceTree(tree(files)));

describe('checkRenderedTree', () => {
  it('passes a sound tree, names the checks and gives the objects', () => {
    const report = checkRenderedTree(
      tree({ 'eu/configmap-web.yaml': CONFIG_MAP, 'us/configmap-web.yaml': CONFIG_MAP }),
    );
    expect(report.problems).toEqual([]);
    expect(report.checks.map(({ name }) => name)).toEqual([
      'yaml-parses',
      'object-identity',
      'no-duplicate-objects',
      'no-plaintext-secret',
      'no-remote-base',
    ]);
    expect(report.objects.map(({ file, object }) => `${file} ${object.kind}`)).toEqual([
      'eu/configmap-web.yaml ConfigMap',
      'us/configmap-web.yaml ConfigMap',
    ]);
  });

  it('reports all that is wrong, each once', () => {
    const seen = rendered({
      'eu/a.yaml': 'a: 1\na: 2\n',
      'eu/b.yaml': 'kind: A\n',
      'eu/c.yaml': CONFIG_MAP,
      'eu/d.yaml': CONFIG_MAP,
      'eu/kustomization.yaml': 'resources: [https://host.example/x.yaml]\n',
    });
    expect(seen.toSorted()).toEqual([
      expect.stringMatching(/^no-duplicate-objects eu\/d.yaml: .*also in eu\/c.yaml$/),
      expect.stringMatching(/^no-remote-base eu\/kustomization.yaml: resources names https:/),
      expect.stringMatching(/^object-identity eu\/b.yaml: .*no apiVersion$/),
      expect.stringMatching(/^yaml-parses eu\/a.yaml: eu\/a.yaml:2:1 /),
    ]);
  });

  it('tells objects apart by group, kind, namespace and name, not by version', () => {
    const other = CONFIG_MAP.replace('name: web', 'name: web, namespace: shop');
    expect(rendered({ 'eu/a.yaml': CONFIG_MAP, 'eu/b.yaml': other })).toEqual([]);
    const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n';
    expect(rendered({ 'eu/a.yaml': deployment, 'eu/b.yaml': deployment.replace('v1', 'v1beta1') })).toHaveLength(1);
    const job = 'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: m-}\n';
    expect(rendered({ 'eu/a.yaml': job, 'eu/b.yaml': job })).toEqual([]);
  });

  it('refuses bytes that are not UTF-8', () => {
    const report = checkRenderedTree([{ path: 'eu/a.yaml', content: Buffer.from(`\uFEFF${CONFIG_MAP}`, 'utf16le') }]);
    expect(lines(report)).toEqual(['yaml-parses eu/a.yaml: is not UTF-8']);
  });
});

describe('no-plaintext-secret', () => {
  const sealed = 'ENC[AES256_GCM,data:xx,iv:yy,tag:zz,type:str]';
  const sopsFile = Buffer.from(`a=${sealed}\nsops_mac=${sealed}\n`).toString('base64');

  it.each([
    ['no values', 'type: Opaque'],
    ['empty data', 'data: {}\nstringData:'],
    ['empty values', 'data: {a: ""}'],
    ['encrypted by SOPS', `data: {a: "${sealed}"}\nsops: {mac: "${sealed}"}`],
    ['a SOPS file put into data', `data: {a.env: ${sopsFile}}`],
    ['a variable that the cluster fills', `stringData: {a: "\${TOKEN}"}`],
  ])('passes %s', (_name, rest) => {
    expect(rendered({ 'eu/secret-token.yaml': secret(rest) })).toEqual([]);
  });

  it.each([
    ['data', 'data: {a: aHVudGVyMg==}', 'data.a'],
    ['stringData', 'stringData: {a: hunter2, b: ""}', 'stringData.a'],
    ['one value beside encrypted ones', `data: {a: "${sealed}", b: aHVudGVyMg==}\nsops: {mac: "${sealed}"}`, 'data.b'],
    ['sops without a signature', `data: {a: "${sealed}"}\nsops: {}`, 'data.a'],
    ['something that only looks encrypted', `stringData: {a: "${sealed}"}`, 'stringData.a'],
    ['a variable with a default', `stringData: {a: "\${TOKEN:=hunter2}"}`, 'stringData.a'],
    ['a number', 'data: {a: 2}', 'data.a'],
    ['data that is no mapping', 'data: hunter2', 'data.(all)'],
  ])('refuses %s and does not repeat it', (_name, rest, key) => {
    const seen = rendered({ 'eu/secret-token.yaml': secret(rest) });
    expect(seen).toEqual([`no-plaintext-secret eu/secret-token.yaml: Secret token holds ${key} in the clear`]);
    expect(seen.join()).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  it('looks into lists, patches and disguised kinds', () => {
    const item = secret('stringData: {a: b}').replaceAll('\n', '\n    ').trim();
    expect(source({ 'a.yaml': `apiVersion: v1\nkind: List\nitems:\n  - ${item}\n` })).toHaveLength(1);
    expect(source({ 'a.yaml': secret('stringData: {a: b}').replace('Secret', '!!binary U2VjcmV0') })).toHaveLength(1);
    const patch = JSON.stringify('kind: Secret\nmetadata: {name: a}\nstringData: {a: b}');
    expect(source({ 'kustomization.yaml': `patches: [{patch: ${patch}}]\n` })).toHaveLength(1);
    const operation = JSON.stringify('[{op: add, path: /stringData/a, value: b}]');
    expect(source({ 'kustomization.yaml': `patches: [{patch: ${operation}, target: {kind: Secret}}]\n` })).toHaveLength(
      1,
    );
    expect(
      source({ 'kustomization.yaml': 'resources: [a.txt]\n', 'a.txt': secret('stringData: {a: b}') }),
    ).toHaveLength(1);
  });

  const OPERATIONS = '[{op: add, path: /stringData, value: {a: hunter2}}]';
  const MERGE = 'apiVersion: v1\nkind: any\nmetadata: {name: any}\nstringData: {a: hunter2}\n';

  it.each([
    ['every kind', '{name: db}', OPERATIONS],
    ['a pattern of kinds', '{kind: "Secr.*"}', OPERATIONS],
    ['a merge patch of another kind', '{kind: Secret}', MERGE],
  ])('looks into a patch for %s, inline and in a file', (_name, target, patch) => {
    const inline = `patches: [{patch: ${JSON.stringify(patch)}, target: ${target}}]\n`;
    const inFile = `patches: [{path: p.yaml, target: ${target}}]\n`;
    const expected = [
      expect.stringMatching(/^no-plaintext-secret kustomization.yaml: patches(?:.path)?.* stringData|.*\/stringData/),
    ];
    for (const seen of [
      source({ 'kustomization.yaml': inline }),
      source({ 'kustomization.yaml': inFile, 'p.yaml': patch }),
      source({ 'kustomization.yaml': inFile.replace('patches', 'patchesJson6902'), 'p.yaml': patch }),
    ]) {
      expect(seen).toEqual(expected);
      expect(seen.join()).not.toContain('hunter2');
    }
  });

  it('leaves patches of other kinds alone, and knows the items of a SecretList without their kind', () => {
    const operation = JSON.stringify('[{op: add, path: /data/a, value: b}]');
    const target = '{kind: ConfigMap, name: web}';
    expect(source({ 'kustomization.yaml': `patches: [{patch: ${operation}, target: ${target}}]\n` })).toEqual([]);
    const list = 'apiVersion: v1\nkind: SecretList\nitems: [{metadata: {name: a}, stringData: {a: hunter2}}]\n';
    expect(source({ 'a.yaml': list })).toHaveLength(1);
  });

  it('takes a generator with literals or open files for a plaintext secret', () => {
    const kustomization = `secretGenerator: [{name: s, literals: [a=hunter2], envs: [open.env, sealed.env]}]\n`;
    const files = { 'open.env': 'a=b\n', 'sealed.env': `a=${sealed}\nsops_mac=${sealed}\n` };
    const seen = source({ 'kustomization.yaml': kustomization, ...files });
    expect(seen).toEqual([
      'no-plaintext-secret kustomization.yaml: the secret generator s takes literal a',
      'no-plaintext-secret kustomization.yaml: the secret generator s takes open.env, which is not encrypted',
    ]);
  });
});

describe('no-remote-base', () => {
  it('passes a closed tree', () => {
    const files = {
      'base/kustomization.yaml': 'resources: [web.yaml]\nconfigMapGenerator: [{name: a, files: [k=a.txt]}]\n',
      'base/web.yaml': CONFIG_MAP,
      'base/a.txt': 'x',
      'overlays/eu/kustomization.yaml': 'resources: [../../base/]\npatches: [{patch: "- {op: remove, path: /a}"}]\n',
    };
    expect(source(files)).toEqual([]);
  });

  it.each([
    ['remote', 'resources: [github.com/org/repo]'],
    ['absolute', 'resources: [/etc/x.yaml]'],
    ['above the root', 'components: [../../x]'],
    ['missing', 'crds: [x.yaml]'],
    ['a chart', 'helmCharts: [{name: a, repo: "https://host.example"}]'],
    ['a remote file of a generator', 'configMapGenerator: [{name: a, files: ["k=https://host.example/x"]}]'],
    ['a chart by an inline generator', 'generators: ["{apiVersion: builtin, kind: HelmChartInflationGenerator}"]'],
    [
      'a remote patch of an inline transformer',
      'transformers: ["{apiVersion: builtin, kind: PatchTransformer, path: https://h.example/x}"]',
    ],
  ])('refuses %s', (_name, kustomization) => {
    const seen = source({ 'app/Kustomization': `${kustomization}\n` });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatch(/^no-remote-base app\/Kustomization: /);
  });

  it('follows a generator into its file', () => {
    const generator = 'apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: s}\nname: s\nliterals: [a=b]\n';
    const seen = source({ 'kustomization.yaml': 'generators: [g.yaml]\n', 'g.yaml': generator });
    expect(seen).toEqual(['no-plaintext-secret g.yaml: the secret generator s takes literal a']);
  });
});

describe('checkSourceTree', () => {
  it('asks YAML of every YAML file but a chart’s templates, and nothing of their fields', () => {
    const files = {
      'chart/Chart.yaml': 'name: web\n',
      'chart/values.yaml': 'a: 1\n---\nb: !Find x\n',
      'chart/templates/web.yaml': '{{ if .Values.a }}\na: 1\n{{ end }}\n',
      'other/templates/web.yaml': '{{ x }}: {{ y }}\n',
      'notes.txt': 'a: b: c\n',
    };
    expect(source(files)).toEqual([expect.stringMatching(/^yaml-parses other\/templates\/web.yaml: /)]);
  });

  it('finds a Secret among templates', () => {
    const files = { 'Chart.yaml': 'name: web\n', 'templates/a.yaml': secret('stringData: {a: b}') };
    expect(source(files)).toEqual([expect.stringMatching(/^no-plaintext-secret templates\/a.yaml: /)]);
  });
});
