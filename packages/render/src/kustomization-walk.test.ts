import { describe, expect, it } from 'vitest';
import { isRemote, readKustomization } from './kustomization-walk.ts';

describe('isRemote', () => {
  it.each([
    'https://host.example/x.yaml',
    'HTTP://host.example/x',
    'https:host',
    'ssh://git@host.example/org/repo',
    'file:///etc',
    'git::https://host.example/org/repo',
    'git@host.example:org/repo.git',
    'org-1234@host.example/org/repo',
    'github.com/org/repo',
    'GitHub.com:org/repo//path',
    'gh:org/repo',
    'host.example/org/repo//path?ref=main',
    'host.example/org/repo.git',
    'dev.host.example/org/_git/repo/path',
    'org/repo?ref=v1',
    'x?timeout=1&ref=main',
    's3::https://host.example/bucket',
  ])('takes %s for remote', (value) => {
    expect(isRemote(value)).toBe(true);
  });

  it.each([
    'base',
    '../base',
    './x.yaml',
    'a.b/c.yaml',
    'apiVersion: v1\nurl: https://host',
    '{url: "x?ref=1"}',
    'ns@x.yaml',
  ])('takes %s for local', (value) => {
    expect(isRemote(value)).toBe(false);
  });
});

it('takes no longer for a value that is made to be slow', () => {
  const started = performance.now();
  expect(isRemote('?&'.repeat(200_000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(2000);
});

describe('readKustomization', () => {
  it('finds every place that content comes from', () => {
    const text = `
resources: [r]
bases: [b]
components: [c]
crds: [crd]
configurations: [conf]
generators: [gen, "apiVersion: builtin\\nkind: X"]
transformers: [tra]
validators: [val]
patchesStrategicMerge: [psm, "{kind: Secret}"]
patches: [{path: p}, {patch: "- op: add", target: {kind: Secret}}]
patchesJson6902: [{path: j}]
replacements: [{path: rep}]
openapi: {path: o}
configMapGenerator: [{name: cm, files: [f, key=g], envs: [e], env: d}]
secretGenerator: [{name: s, literals: [a=b], files: [h]}]
`;
    const content = readKustomization('kustomization.yaml', text);
    const places = 'r b c crd conf gen tra val psm p j rep o f g e d h'.split(' ');
    expect(content.references.map(({ value }) => value).toSorted()).toEqual(places.toSorted());
    expect(content.inline).toEqual([
      { field: 'generators', text: 'apiVersion: builtin\nkind: X' },
      { field: 'patchesStrategicMerge', text: '{kind: Secret}' },
      { field: 'patches', text: '- op: add', targetKind: 'Secret' },
    ]);
    expect(content.secrets).toEqual([{ name: 's', literals: ['a=b'], files: ['h'] }]);
    expect(content.charts).toEqual([]);
  });

  it.each([
    'RESOURCES: [x]',
    'reſourceſ: [x]',
    'a: &a [x]\nresources: *a',
    'z: &z {resources: [x]}\n<<: *z',
    'resources: x',
  ])('reads keys as kustomize does: %s', (text) => {
    expect(readKustomization('kustomization.yaml', text).references).toContainEqual({ field: 'resources', value: 'x' });
  });
});
