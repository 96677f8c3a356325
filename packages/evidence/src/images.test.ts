import { UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { findImages } from './images.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

/** `reference @ path` of one object in `f.yaml`. */
function find(value: unknown): string[] {
  return findImages([{ file: 'f.yaml', value }]).flatMap(({ reference, occurrences }) =>
    occurrences.map(({ path }) => `${reference} @ ${path}`),
  );
}

describe('findImages', () => {
  it.each([
    ['Pod', { kind: 'Pod', spec: { containers: [{ image: 'a' }] } }, 'spec.containers[0].image'],
    [
      'CronJob',
      {
        kind: 'CronJob',
        spec: { jobTemplate: { spec: { template: { spec: { initContainers: [{ image: 'a' }] } } } } },
      },
      'spec.jobTemplate.spec.template.spec.initContainers[0].image',
    ],
    [
      'ephemeral container',
      { spec: { ephemeralContainers: [{}, { image: 'a' }] } },
      'spec.ephemeralContainers[1].image',
    ],
    [
      'image volume',
      { spec: { template: { spec: { volumes: [{ name: 'x', image: { reference: 'a' } }] } } } },
      'spec.template.spec.volumes[0].image.reference',
    ],
    [
      'custom resource',
      { kind: 'Rollout', spec: { 'a.b/c': { containers: [{ image: 'a' }] } } },
      'spec["a.b/c"].containers[0].image',
    ],
    [
      'list',
      { kind: 'List', items: [{ spec: { containers: [{ image: 'a' }] } }] },
      'items[0].spec.containers[0].image',
    ],
  ])('finds the image of a %s and says where', (_name, value, path) => {
    expect(find(value)).toEqual([`a @ ${path}`]);
  });

  it.each([
    ['the schema of a custom resource', { kind: 'CustomResourceDefinition', spec: { containers: [{ image: 'a' }] } }],
    [
      'one inside a list',
      { kind: 'List', items: [{ kind: 'CustomResourceDefinition', containers: [{ image: 'a' }] }] },
    ],
    ['an image outside a container', { kind: 'Widget', spec: { image: 'a' } }],
    ['a volume without an image', { spec: { volumes: [{ name: 'x', emptyDir: {} }] } }],
    ['what is not a string', { spec: { containers: [{ image: 1 }, { image: '' }, 'text', null, { name: 'x' }] } }],
    ['what is not a list', { spec: { containers: { image: 'a' } } }],
    ['no object', null],
  ])('finds nothing in %s', (_name, value) => {
    expect(find(value)).toEqual([]);
  });

  it('gives one entry a reference, sorted, with the digest of pinned ones', () => {
    const pod = (...images: string[]) => ({ spec: { containers: images.map((image) => ({ image })) } });
    const pinned = `ghcr.io/acme/web:v1@${DIGEST}`;
    const found = findImages([
      { file: 'b.yaml', value: pod('nginx:1', pinned) },
      { file: 'a.yaml', value: pod(pinned, 'web@sha256:short') },
    ]);
    expect(found).toEqual([
      {
        reference: pinned,
        digest: DIGEST,
        pinned: true,
        occurrences: [
          { file: 'a.yaml', path: 'spec.containers[0].image' },
          { file: 'b.yaml', path: 'spec.containers[1].image' },
        ],
      },
      { reference: 'nginx:1', pinned: false, occurrences: [{ file: 'b.yaml', path: 'spec.containers[0].image' }] },
      {
        reference: 'web@sha256:short',
        pinned: false,
        occurrences: [{ file: 'a.yaml', path: 'spec.containers[1].image' }],
      },
    ]);
  });

  it('refuses objects that aliases make endless or huge', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    let bomb: unknown = {};
    for (let level = 0; level < 40; level += 1) {
      bomb = [bomb, bomb];
    }
    for (const value of [cycle, bomb]) {
      expect(() => find(value)).toThrow(UserError);
    }
  });
});
