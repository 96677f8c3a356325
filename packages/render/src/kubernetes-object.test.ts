import { UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { parseObjects } from './kubernetes-object.ts';

function failure(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) {
      return error.message;
    }
    throw error;
  }
  return 'nothing was thrown';
}

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n';

describe('parseObjects', () => {
  it('gives each object with its text as written', () => {
    const deployment =
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {mode: 0644}\n';
    const [first, second] = parseObjects('x.yaml', `${CONFIG_MAP}---\n${deployment}`);
    expect(first).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', name: 'web', text: CONFIG_MAP });
    expect(first).not.toHaveProperty('namespace');
    expect(second).toMatchObject({ kind: 'Deployment', namespace: 'shop', text: deployment });
  });

  it('lets variables of the post-build substitution pass, also as bare values', () => {
    const text = `${CONFIG_MAP}spec:\n  replicas: \${REPLICAS}\n  host: \${HOST:=a.b}.example\n`;
    const [object] = parseObjects('x.yaml', text);
    expect(object?.text).toBe(text);
    expect(object?.value['spec']).toEqual({ replicas: `\${REPLICAS}`, host: `\${HOST:=a.b}.example` });
  });

  it('takes generateName for a name', () => {
    const [job] = parseObjects('x.yaml', 'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: migrate-}\n');
    expect(job?.name).toBe('migrate-');
  });

  it.each([
    ['kind: A\nmetadata: {name: a}\n', 'x.yaml, document 2 (line 6) has no apiVersion'],
    ['apiVersion: v1\nmetadata: {name: a}\n', 'x.yaml, document 2 (line 6) has no kind'],
    ['apiVersion: v1\nkind: A\n', 'x.yaml, document 2 (line 6) has no metadata.name'],
    ['apiVersion: v1\nkind: A\nmetadata: {name: 12}\n', 'has a number as metadata.name'],
    ['- a\n', 'is no Kubernetes object'],
    ['apiVersion: v1\nkind: List\nitems: []\n', 'is a List'],
    ['apiVersion: v1\nkind: ConfigMapList\nitems: []\n', 'is a ConfigMapList'],
  ])('refuses %j', (text, message) => {
    const seen = failure(() => parseObjects('x.yaml', `${CONFIG_MAP}---\n${text}`));
    expect(seen).toContain(message);
    expect(seen).toContain('[OBJECT_INVALID]');
  });

  it.each([
    ['duplicate key', 'a: 1\nb:\n  c: 1\n  c: password\n', 'x.yaml:9:3 is not usable YAML: duplicated mapping key'],
    ['flow surprise', `a: {b: \${VAR}}\n`, 'x.yaml:6:9'],
    ['node that contains itself', 'a: &a [*a]\n', 'aliases'],
    ['raw line separator', 'a: b # c\u2028kind: Secret\n', 'x.yaml:6:9'],
    ['null byte', 'a: "\0"\n', 'x.yaml:6:5'],
  ])('%s: names file, line and column, not the text', (_name, text, message) => {
    const seen = failure(() => parseObjects('x.yaml', `${CONFIG_MAP}---\n${text}`));
    expect(seen).toContain(message);
    expect(seen).toContain('[YAML_INVALID]');
    expect(seen).not.toContain('password');
  });

  it('stops before aliases expand beyond the bound', () => {
    const levels = Array.from(
      { length: 9 },
      (_, n) =>
        `l${n}: &l${n} [${Array(9)
          .fill(n === 0 ? 'x' : `*l${n - 1}`)
          .join(', ')}]`,
    );
    expect(failure(() => parseObjects('x.yaml', levels.join('\n')))).toContain('expand to more than');
    const merges = Array.from({ length: 120 }, (_, n) => `m${n}: {<<: [${Array(100).fill('*b').join(', ')}]}`);
    expect(failure(() => parseObjects('x.yaml', `b: &b {a: 1}\n${merges.join('\n')}`))).toContain('[YAML_INVALID]');
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    expect(failure(() => parseObjects('x.yaml', `a: ${deep}`))).toContain('[YAML_INVALID]');
  });

  it('reads tags as Go does', () => {
    const [object] = parseObjects('x.yaml', 'apiVersion: v1\nkind: !!binary U2VjcmV0\nmetadata: {name: !local a}\n');
    expect(object).toMatchObject({ kind: 'Secret', name: 'a' });
  });
});
