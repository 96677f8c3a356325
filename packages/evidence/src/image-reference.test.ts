import type { Digest } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { imageName, imagePurl } from './image-reference.ts';

const DIGEST: Digest = `sha256:${'a'.repeat(64)}`;

describe('imageName', () => {
  it.each([
    ['nginx', { repository: 'nginx' }],
    ['nginx:1.27', { repository: 'nginx', tag: '1.27' }],
    ['localhost:5000/web', { repository: 'localhost:5000/web' }],
    ['localhost:5000/a/web:v1', { repository: 'localhost:5000/a/web', tag: 'v1' }],
    [`ghcr.io/acme/web:v1@${DIGEST}`, { repository: 'ghcr.io/acme/web', tag: 'v1' }],
  ])('splits %s', (reference, name) => {
    expect(imageName(reference)).toEqual(name);
  });
});

describe('imagePurl', () => {
  it.each([
    [
      `ghcr.io/acme/Web:v1@${DIGEST}`,
      `pkg:oci/web@sha256%3A${'a'.repeat(64)}?repository_url=ghcr.io%2Facme%2FWeb&tag=v1`,
    ],
    [`acme/web@${DIGEST}`, `pkg:oci/web@sha256%3A${'a'.repeat(64)}`],
    [`localhost:5000/web@${DIGEST}`, `pkg:oci/web@sha256%3A${'a'.repeat(64)}?repository_url=localhost%3A5000%2Fweb`],
  ])('of %s', (reference, purl) => {
    expect(imagePurl({ reference, digest: DIGEST, pinned: true, occurrences: [] })).toBe(purl);
  });

  it('does not exist without a digest', () => {
    expect(imagePurl({ reference: 'ghcr.io/acme/web:v1', pinned: false, occurrences: [] })).toBeUndefined();
  });
});
