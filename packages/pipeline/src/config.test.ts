import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { parseConfig, readConfig } from './config.ts';
import { withDirectory } from './fixtures.ts';

/** The faults of a file that must not be taken. */
function faults(text: string): readonly string[] {
  try {
    parseConfig(text, 'gitless.yaml');
  } catch (error) {
    if (error instanceof UserError && error.code === 'BAD_CONFIG') {
      return error.problem.details ?? [];
    }
    throw error;
  }
  throw new Error('the file was taken');
}

const EVERY_KEY = `$schema: docs/schemas/gitless-yaml.schema.json
schema: 1
registry: ghcr.io/acme
production: ghcr.io/acme-production
identity:
  issuer: https://token.actions.githubusercontent.com
  subject: https://github.com/acme/shop/.github/workflows/ship.yml@refs/heads/main
  repository: acme/shop
trust: {trusted-root: trust/trusted_root.json, signing-config: trust/signing_config.json}
tools: {helm: 4.2.4, kustomize: 5.8.1}
environments: [staging, production]
channels: {latest: {by: push}, stable: {by: promote}, prod_ring1: {by: promote}}
components:
  - name: web
    path: apps/web
    engine: helm
    environments: [staging]
    values: [values.yaml, "values-{environment}.yaml"]
    namespace: shop
    release-name: shop-web
    kube-version: 1.34.0
    api-versions: [monitoring.coreos.com/v1]
    include-crds: true
  - pattern: components/*
    ignore: ["components/_*"]
    engine: plain
`;

describe('parseConfig', () => {
  it('takes every documented key', () => {
    expect(parseConfig(EVERY_KEY, 'gitless.yaml')).toEqual({
      $schema: 'docs/schemas/gitless-yaml.schema.json',
      schema: 1,
      registry: 'ghcr.io/acme',
      production: 'ghcr.io/acme-production',
      identity: {
        issuer: 'https://token.actions.githubusercontent.com',
        subject: 'https://github.com/acme/shop/.github/workflows/ship.yml@refs/heads/main',
        repository: 'acme/shop',
      },
      trust: { 'trusted-root': 'trust/trusted_root.json', 'signing-config': 'trust/signing_config.json' },
      tools: { helm: '4.2.4', kustomize: '5.8.1' },
      environments: ['staging', 'production'],
      channels: { latest: { by: 'push' }, stable: { by: 'promote' }, prod_ring1: { by: 'promote' } },
      components: [
        {
          name: 'web',
          path: 'apps/web',
          engine: 'helm',
          environments: ['staging'],
          values: ['values.yaml', 'values-{environment}.yaml'],
          namespace: 'shop',
          'release-name': 'shop-web',
          'kube-version': '1.34.0',
          'api-versions': ['monitoring.coreos.com/v1'],
          'include-crds': true,
        },
        { pattern: 'components/*', ignore: ['components/_*'], engine: 'plain' },
      ],
    });
  });

  it('names line and column of every fault at once', () => {
    const text = [
      'schema: 1',
      'registry: 5000',
      'components:',
      '  - name: Web',
      '    path: apps/web',
      '  - name: api',
      '    path: ../api',
    ].join('\n');
    expect(faults(text)).toEqual([
      'line 2, column 11: registry: saw 5000, wants string',
      expect.stringMatching(/^line 4, column 11: components\.0\.name: wants 2–63 characters/),
      'line 7, column 11: components.1.path: wants a path inside the repository',
    ]);
  });

  it.each([
    ['top level', 'schema: 1\nregistri: x\n', 'line 2, column 1: unknown key "registri"; did you mean registry?'],
    [
      'a key whose value stands on the next line',
      'schema: 1\nidentiy:\n  issuer: x\n',
      'line 2, column 1: unknown key "identiy"; did you mean identity?',
    ],
    [
      'named component',
      'schema: 1\ncomponents:\n  - {name: web, path: web, value: [a.yaml]}\n',
      'line 3, column 28: unknown key "value"; did you mean values?',
    ],
    [
      'pattern component',
      'schema: 1\ncomponents:\n  - pattern: apps/*\n    ignored: [x]\n',
      'line 4, column 5: unknown key "ignored"; did you mean ignore?',
    ],
    ['identity', 'schema: 1\nidentity: {issuer: a, subject: b, repo: c}\n', 'line 2, column 35: unknown key "repo"'],
    [
      'trust',
      'schema: 1\ntrust: {trusted_root: a}\n',
      'line 2, column 9: unknown key "trusted_root"; did you mean trusted-root?',
    ],
    ['tools', 'schema: 1\ntools: {hlem: "4"}\n', 'line 2, column 9: unknown key "hlem"; did you mean helm?'],
    [
      'a channel with dots in its name',
      'schema: 1\nchannels:\n  ring.1: {by: push, bye: 1}\n',
      'line 3, column 22: unknown key "bye"; did you mean by?',
    ],
    ['nothing near', 'schema: 1\nxylophone: 1\n', 'line 2, column 1: unknown key "xylophone"'],
  ])('suggests the nearest key: %s', (_where, text, expected) => {
    expect(faults(text)).toEqual([expected]);
  });

  it('names a missing key at the node that lacks it', () => {
    expect(faults('schema: 1\nidentity:\n  issuer: x\n')).toEqual(['line 3, column 3: identity.subject: is missing']);
  });

  it.each([
    ['an empty file', ''],
    ['a list', '- schema: 1\n'],
    ['another version', 'schema: 2\n'],
    ['two documents', 'schema: 1\n---\nschema: 1\n'],
    ['a key twice', 'schema: 1\nschema: 1\n'],
    ['broken YAML', 'schema: [1\n'],
    ['an alias without anchor', 'schema: 1\nregistry: *nowhere\n'],
    [
      'an alias bomb',
      `schema: 1\n${['a: &a [x, x, x, x]', 'b: &b [*a, *a, *a, *a]', 'c: &c [*b, *b, *b, *b]', 'd: [*c, *c, *c, *c]'].join('\n')}\n`,
    ],
    ['a component that is neither named nor a pattern', 'schema: 1\ncomponents: [web]\n'],
    ['a component that is both', 'schema: 1\ncomponents: [{name: web, path: web, pattern: "*"}]\n'],
    ['an absolute path', 'schema: 1\ntrust: {trusted-root: /etc/root.json}\n'],
    ['a pattern out of the repository', 'schema: 1\ncomponents: [{pattern: "../*"}]\n'],
    ['an owner that does not exist', 'schema: 1\nchannels: {latest: {by: merge}}\n'],
    ['an engine that does not exist', 'schema: 1\ncomponents: [{name: web, path: web, engine: jsonnet}]\n'],
  ])('refuses %s and says where', (_what, text) => {
    const found = faults(text);
    expect(found.length).toBeGreaterThan(0);
  });

  it('refuses a file above 1 MiB before it parses it', () => {
    expect(() => parseConfig(`schema: 1 #${'x'.repeat(1024 * 1024)}`, 'gitless.yaml')).toThrow('larger than 1 MiB');
  });
});

describe('readConfig', () => {
  it('reads gitless.yaml if there is one, and the named file whatever happens', async () => {
    await withDirectory(async (workspace) => {
      expect(await readConfig(workspace, undefined)).toBeUndefined();
      await expect(readConfig(workspace, 'ci/gitless.yaml')).rejects.toMatchObject({ code: 'BAD_CONFIG' });
      await writeFile(join(workspace, 'gitless.yaml'), 'schema: 1\nregistry: ghcr.io/acme\n');
      expect(await readConfig(workspace, undefined)).toEqual({ schema: 1, registry: 'ghcr.io/acme' });
      await writeFile(join(workspace, 'gitless.yaml'), 'schema: 1\nregistri: ghcr.io/acme\n');
      await expect(readConfig(workspace, undefined)).rejects.toThrow('gitless.yaml has a fault [BAD_CONFIG]');
    });
  });
});
