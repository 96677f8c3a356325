import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { requireSuccess, startWorld, type World } from '../actions/support.ts';
import { pathWith, toolFile } from './build-tools.ts';
import { sourceDirectory } from './go.ts';
import { changesIn, output, plainEnvironment, readTree, render, sha256, withFolder } from './support.ts';

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n';
const CHART = { 'web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n', 'web/templates/web.yaml': CONFIG_MAP };

const ToolsSchema = v.object({
  tools: v.array(v.object({ name: v.string(), version: v.string(), asserted: v.boolean(), digest: v.string() })),
  findings: v.array(v.string()),
});

/** What the world gives an action and the action its children; the rest of the list in `packages/ci` is not set there. */
const CHILD_ENVIRONMENT = ['PATH', 'HOME', 'LANG', 'TZ'];
const HELM_ENVIRONMENT = ['HELM_CACHE_HOME', 'HELM_CONFIG_HOME', 'HELM_DATA_HOME', 'KUBECONFIG'];
const OF_THE_SPY = ['SPY', 'PWD', 'SHLVL', '_'];

async function withWorld<T>(files: Record<string, string>, use: (world: World) => Promise<T>): Promise<T> {
  const world = await startWorld({ files });
  try {
    return await use(world);
  } finally {
    await world.close();
  }
}

function gitlessYaml(tools: string, ...components: string[]): Record<string, string> {
  return { 'gitless.yaml': `schema: 1\n${tools}components:\n${components.map((one) => `  - ${one}\n`).join('')}` };
}

describe('the tools of a render', () => {
  const components = ['{name: web, path: web}', '{name: cart, path: cart}'];
  const files = { ...CHART, 'cart/kustomization.yaml': 'resources: [cart.yaml]\n', 'cart/cart.yaml': CONFIG_MAP };

  it('must be the versions that are asserted', async () => {
    await withWorld(
      { ...files, ...gitlessYaml('tools: {helm: 4.2.3, kustomize: 5.8.0}\n', ...components) },
      async (world) => {
        const { exitCode, log } = await render(world, await pathWith('helm', 'kustomize'));
        expect(exitCode).toBe(1);
        expect(log).toContain('helm on PATH is 4.2.4, and helm 4.2.3 is asserted');
        expect(log).toContain('kustomize on PATH is 5.8.1, and kustomize 5.8.0 is asserted');
        expect(log).toContain('[TOOL_VERSION]');
      },
    );
  });

  it('are recorded with the digest of the program, and as not asserted when they are not', async () => {
    await withWorld({ ...files, ...gitlessYaml('tools: {kustomize: 5.8.1}\n', ...components) }, async (world) => {
      const { outputs } = requireSuccess(await render(world, await pathWith('helm', 'kustomize')));
      const result = v.parse(ToolsSchema, JSON.parse(await readFile(outputs['result'] ?? '', 'utf8')));
      const digestOf = async (tool: string) => sha256(await readFile(await toolFile(tool)));
      expect(new Set(result.tools)).toEqual(
        new Set([
          { name: 'helm', version: '4.2.4', asserted: false, digest: await digestOf('helm') },
          { name: 'kustomize', version: '5.8.1', asserted: true, digest: await digestOf('kustomize') },
        ]),
      );
      expect(result.findings).toContainEqual(
        expect.stringMatching(/^web: the version of helm is not asserted: 4\.2\.4/),
      );
    });
  });

  it('get nothing of the runner and no secret in their environment', async () => {
    await withFolder(async (folder) => {
      const dump = join(folder, 'environment');
      const path = process.env['PATH'] ?? '';
      for (const tool of ['helm', 'kustomize', 'git'] as const) {
        const real = tool === 'git' ? `PATH='${path}' git` : await toolFile(tool);
        const spy = `#!/bin/sh\necho 'SPY=${tool}' >> '${dump}'\nenv >> '${dump}'\n${real} "$@"\n`;
        await writeFile(join(folder, tool), spy, { mode: 0o755 });
      }
      await withWorld({ ...files, ...gitlessYaml('', ...components) }, async (world) => {
        const env = { GITHUB_TOKEN: 'ghs_secret', AWS_SECRET_ACCESS_KEY: 'aws-secret' };
        requireSuccess(await render(world, [folder, path].join(delimiter), env));
        const seen = await readFile(dump, 'utf8');
        for (const secret of [world.issuer.requestToken, 'testkit-job-token', ...Object.values(env)]) {
          expect(seen).not.toContain(secret);
        }
        const names = [...seen.matchAll(/^([A-Za-z_]\w*)=/gm)].map(([, name]) => name ?? '');
        expect(new Set(names.filter((name) => !OF_THE_SPY.includes(name)))).toEqual(
          new Set([...CHILD_ENVIRONMENT, ...HELM_ENVIRONMENT]),
        );
        expect(new Set(seen.match(/^SPY=.*$/gm))).toEqual(new Set(['SPY=helm', 'SPY=kustomize', 'SPY=git']));
      });
    });
  });
});

describe('Chart.lock', () => {
  const library = {
    'charts/library/Chart.yaml': 'apiVersion: v2\nname: library\nversion: 0.1.0\n',
    'charts/library/templates/library.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-library}\n',
  };
  const chart = (range: string) => ({
    'charts/web/Chart.yaml': `apiVersion: v2
name: web
version: 1.0.0
dependencies:
  - {name: library, version: "${range}", repository: "file://../library"}
`,
    'charts/web/templates/web.yaml': CONFIG_MAP,
  });
  const config = gitlessYaml('tools: {helm: 4.2.4}\n', '{name: web, path: charts/web, kube-version: 1.34.0}');
  const files = { ...library, ...chart('>=0.1.0 <1'), ...config };

  /** As Helm itself writes it. */
  async function lock(): Promise<Record<string, string>> {
    return withWorld(files, async ({ workspace }) => {
      const web = join(workspace.dir, 'charts/web');
      await withFolder(async (home) =>
        output(await toolFile('helm'), ['dependency', 'update', web], { env: plainEnvironment(home) }),
      );
      return { 'charts/web/Chart.lock': await readFile(join(web, 'Chart.lock'), 'utf8') };
    });
  }

  it('in step with Chart.yaml is built from, beside the checkout', async () => {
    await withWorld({ ...files, ...(await lock()) }, async (world) => {
      const { outputs } = requireSuccess(await render(world, await pathWith('helm')));
      const rendered = await readTree(join(outputs['path'] ?? '', 'web/default'), '.');
      expect(Object.keys(rendered)).toEqual(['configmap-from-library.yaml', 'configmap-web.yaml']);
      expect(await changesIn(world)).toBe('');
    });
  });

  it.each([
    ['of another Chart.yaml is refused', { ...chart('>=0.1.0 <2') }, true, 'CHART_LOCK_STALE'],
    ['must be there', {}, false, 'CHART_LOCK_MISSING'],
  ])('%s', async (_name, edited, locked, code) => {
    await withWorld({ ...files, ...(locked ? await lock() : {}), ...edited }, async (world) => {
      const { exitCode, log } = await render(world, await pathWith('helm'));
      expect(exitCode).toBe(1);
      expect(log).toContain(`[${code}]`);
      expect(await changesIn(world)).toBe('');
    });
  });
});

describe('kustomizations', () => {
  it('with a remote base are refused, and the base is named', async () => {
    const flux = await sourceDirectory('github.com/fluxcd/kustomize-controller');
    const config = gitlessYaml(
      'tools: {kustomize: 5.8.1}\n',
      '{name: kustomize-controller, path: flux/config/default}',
    );
    await withWorld({ ...config, ...(await readTree(join(flux, 'config'), 'flux/config')) }, async (world) => {
      const { exitCode, log } = await render(world, await pathWith('kustomize'));
      expect(exitCode).toBe(1);
      expect(log).toContain('[REMOTE_BASE]');
      for (const file of ['crds', 'deployment']) {
        expect(log).toContain(
          `flux/config/default/kustomization.yaml: resources names https://github.com/fluxcd/source-controller/releases/download/v1.9.0/source-controller.${file}.yaml`,
        );
      }
    });
  });

  it('that cannot be built, and environments that are not there, are all named at once', async () => {
    const files = {
      ...gitlessYaml(
        'tools: {kustomize: 5.8.1}\n',
        '{name: web, path: web, environments: [dev, qa, staging, production]}',
      ),
      'web/base/kustomization.yaml': 'resources: [web.yaml]\n',
      'web/base/web.yaml': CONFIG_MAP,
      'web/overlays/dev/kustomization.yaml': 'resources: [../../base]\n',
      'web/overlays/staging/kustomization.yaml': 'resources: [../../base, not-there.yaml]\n',
      'web/overlays/production/kustomization.yaml': 'resources: [../../base]\npatches: [{path: gone.yaml}]\n',
    };
    await withWorld(files, async (world) => {
      const { exitCode, log } = await render(world, await pathWith('kustomize'));
      expect(exitCode).toBe(1);
      expect(log).toContain('3 of 4 environments cannot be rendered');
      expect(log).toMatch(/qa: .*\[ENVIRONMENT_MISSING\]/);
      expect(log).toMatch(/staging: .*\[TOOL_FAILED\].*not-there\.yaml/);
      expect(log).toMatch(/production: .*\[TOOL_FAILED\].*gone\.yaml/);
    });
  });
});
