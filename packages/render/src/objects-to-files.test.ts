import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseObjects } from './kubernetes-object.ts';
import { objectsToFiles } from './objects-to-files.ts';

function object(kind: string, name: string, namespace?: string, rest = ''): string {
  const scope = namespace === undefined ? '' : `, namespace: ${namespace}`;
  return `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${JSON.stringify(name)}${scope}}\n${rest}`;
}

function filesOf(...texts: string[]) {
  return objectsToFiles(texts.flatMap((text) => parseObjects('x.yaml', text)));
}

describe('objectsToFiles', () => {
  it('names files by namespace, kind and name, in one order', () => {
    const texts = [object('Service', 'web', 'shop'), object('ClusterRole', 'system:foo/*'), object('ConfigMap', 'A')];
    const paths = ['clusterrole-system_foo__.yaml', 'configmap-a.yaml', 'shop-service-web.yaml'];
    expect(filesOf(...texts).map(({ path }) => path)).toEqual(paths);
    expect(filesOf(...texts.toReversed()).map(({ path }) => path)).toEqual(paths);
  });

  it('refuses two objects for one file, naming both', () => {
    expect(() => filesOf(object('ConfigMap', 'a:b'), object('ConfigMap', 'a/b'))).toThrow(
      /ConfigMap a:b \(v1\) and ConfigMap a\/b \(v1\) would both be written to configmap-a_b.yaml \[RENDER_CLASH\]/,
    );
  });

  it('keeps any name inside its folder and within what file systems take', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 400, unit: 'binary' }), (name) => {
        const value = { apiVersion: 'v1', kind: name, metadata: { name } };
        const [file] = objectsToFiles([{ apiVersion: 'v1', kind: name, name, text: 'x\n', value }]);
        expect(file?.path).toMatch(/^(?!\.)[a-z0-9._-]{1,250}\.yaml$/);
      }),
    );
  });

  it.each([
    ['a: 1', 'a: 1\n'],
    ['a: 1\n\n  \n', 'a: 1\n'],
    ['a: 1\r\n\r\n', 'a: 1\n'],
  ])('ends %j with one newline', (rest, end) => {
    expect(filesOf(object('A', 'b', undefined, rest))[0]?.text).toBe(object('A', 'b', undefined, end));
  });

  it('does not change a block scalar that keeps its blank lines', () => {
    const text = object('A', 'b', undefined, 'data: |+\n  x\n\n\n');
    const [file] = filesOf(text);
    expect(file?.text.endsWith('x\n\n\n...\n')).toBe(true);
    expect(parseObjects('y.yaml', file?.text ?? '')[0]?.value['data']).toBe('x\n\n\n');
  });
});
