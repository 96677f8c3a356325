import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { anchored, type FluxTarget, fluxResources } from './flux-resources.ts';

const TARGET: FluxTarget = {
  component: 'web',
  repository: 'ghcr.io/acme/web',
  tag: 'latest',
  issuer: 'https://token.actions.githubusercontent.com',
  subject: 'https://github.com/acme/shop/.github/workflows/ship.yml@refs/heads/main',
  environments: ['production'],
  pathPrefix: 'web',
};

function parsed(change: Partial<FluxTarget> = {}): unknown[] {
  return parseAllDocuments(fluxResources({ ...TARGET, ...change })).map((document) => document.toJS());
}

describe('fluxResources', () => {
  it('gives an OCIRepository that verifies one identity and a Kustomization of one environment', () => {
    expect(parsed()).toEqual([
      {
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'OCIRepository',
        metadata: { name: 'web', namespace: 'flux-system' },
        spec: {
          interval: '5m',
          url: 'oci://ghcr.io/acme/web',
          ref: { tag: 'latest' },
          verify: {
            provider: 'cosign',
            trustedRootSecretRef: { name: 'gitless-trusted-root' },
            matchOIDCIdentity: [
              {
                issuer: '^https://token\\.actions\\.githubusercontent\\.com$',
                subject: '^https://github\\.com/acme/shop/\\.github/workflows/ship\\.yml@refs/heads/main$',
              },
            ],
          },
        },
      },
      {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata: { name: 'web', namespace: 'flux-system' },
        spec: {
          interval: '10m',
          sourceRef: { kind: 'OCIRepository', name: 'web' },
          path: './web/production',
          prune: true,
        },
      },
    ]);
  });

  it.each([
    ['a directory packed as it is', 'web', [], './web'],
    ['an artifact without prefix', '', ['production'], './production'],
    ['neither', '', [], '.'],
    ['several environments', 'web', ['staging', 'production'], './web/staging'],
  ])('names the path of %s', (_what, pathPrefix, environments, path) => {
    expect(parsed({ pathPrefix, environments })[1]).toMatchObject({ spec: { path } });
  });

  it('names the environments that another cluster would choose', () => {
    const text = fluxResources({ ...TARGET, environments: ['staging', 'production'] });
    expect(text).toContain("path: './web/staging' # this cluster's environment; also: production");
  });

  it.each(['2048', '1.10', 'on', 'true', '1e5', '0x10', 'null', '2026-01-02'])(
    'keeps %s text as component and as tag',
    (word) => {
      const [source, kustomization] = parsed({ component: word, tag: word });
      expect(source).toMatchObject({ metadata: { name: word }, spec: { ref: { tag: word } } });
      expect(kustomization).toMatchObject({ metadata: { name: word }, spec: { sourceRef: { name: word } } });
    },
  );

  it('gives a component with "_" a name that Kubernetes takes', () => {
    const [source] = parsed({ component: 'shop_web' });
    expect(source).toMatchObject({ metadata: { name: 'shop-web' } });
  });

  it('writes any identity so that YAML reads the pattern back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        expect(parsed({ subject: text })[0]).toMatchObject({
          spec: { verify: { matchOIDCIdentity: [{ subject: anchored(text) }] } },
        });
      }),
    );
  });
});

describe('anchored', () => {
  // Escapes of ASCII punctuation and anchors without flags mean the same in RE2 and here.
  it('matches the text and nothing else', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab./\\+*?()|[]{}^$-@:\n'), maxLength: 12 });
    fc.assert(
      fc.property(text, text, (wanted, other) => {
        const pattern = new RegExp(anchored(wanted));
        expect(pattern.test(wanted)).toBe(true);
        expect(pattern.test(other)).toBe(other === wanted);
        expect(pattern.test(`${wanted}${other}`)).toBe(other === '');
        expect(pattern.test(`${other}${wanted}`)).toBe(other === '');
      }),
      { numRuns: 500 },
    );
  });

  it('lets no character of an identity stand for another', () => {
    const subject = 'https://github.com/acme/shop/.github/workflows/ship.yml@refs/heads/main';
    const pattern = new RegExp(anchored(subject));
    for (const [index, character] of [...subject].entries()) {
      const changed = `${subject.slice(0, index)}${character === 'x' ? 'y' : 'x'}${subject.slice(index + 1)}`;
      expect(pattern.test(changed)).toBe(false);
    }
  });
});
