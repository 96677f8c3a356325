import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createWorkspace, runAction } from '@gitless/testkit';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { DEPLOYMENT, expectMessage } from './refusal.ts';

const CHART = { 'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n' } as const;
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: hunter2hunter2}\n';

interface Case {
  readonly when: string;
  readonly action: 'render' | 'package';
  readonly files: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, string>>;
  /** Written after the commit. */
  readonly dirty?: Readonly<Record<string, string>>;
  /** Link → target, committed. */
  readonly links?: Readonly<Record<string, string>>;
  readonly code: string;
  readonly says: readonly (string | RegExp)[];
}

/** Stand-ins for the tools: they answer for their version and refuse to render. */
const TOOLS = {
  helm: '#!/bin/sh\n[ "$1" = version ] && echo v4.2.4 && exit 0\necho "Error: helm must not run" >&2\nexit 1\n',
  kustomize:
    '#!/bin/sh\n[ "$1" = version ] && echo v5.8.1 && exit 0\necho "Error: kustomize must not run" >&2\nexit 1\n',
} as const;

let tools: string;
beforeAll(async () => {
  tools = await mkdtemp(join(tmpdir(), 'tools-'));
  for (const [name, script] of Object.entries(TOOLS)) {
    await writeFile(join(tools, name), script);
    await chmod(join(tools, name), 0o755);
  }
});
afterAll(() => rm(tools, { recursive: true }));

function refuses(list: readonly Case[]): void {
  it.each(list)('$action: $when → $code', async ({ action, files, inputs, dirty, links, code, says }) => {
    const workspace = await createWorkspace({ '.gitignore': '', ...files });
    const temp = await mkdtemp(join(tmpdir(), 'refused-'));
    try {
      for (const [path, text] of Object.entries(dirty ?? {})) {
        await mkdir(dirname(join(workspace.dir, path)), { recursive: true });
        await writeFile(join(workspace.dir, path), text);
      }
      for (const [path, target] of Object.entries(links ?? {})) {
        await symlink(target, join(workspace.dir, path));
      }
      const run = await runAction({
        action,
        workspace,
        temp,
        inputs: { name: 'web', ...inputs },
        env: { PATH: `${tools}:${process.env['PATH']}` },
      });
      expectMessage(run, { code, says });
    } finally {
      await workspace.cleanup();
      await rm(temp, { recursive: true });
    }
  });
}

const both = (one: Omit<Case, 'action'>): Case[] =>
  (['render', 'package'] as const).map((action) => ({ ...one, action }));

describe('what is not there', () => {
  refuses([
    ...both({
      when: 'a path',
      files: {},
      inputs: { path: 'deplyo' },
      code: 'PATH_MISSING',
      says: ['deplyo', 'correct the path'],
    }),
    {
      when: 'an environment',
      action: 'render',
      files: { 'deploy/staging/web.yaml': DEPLOYMENT },
      inputs: { path: 'deploy', environments: 'staging, prodution' },
      code: 'ENVIRONMENT_MISSING',
      says: ['prodution'],
    },
    {
      when: 'a chart',
      action: 'render',
      files: { 'chart/values.yaml': '' },
      inputs: { path: 'chart', engine: 'helm' },
      code: 'CHART_INVALID',
      says: ['chart holds no Chart.yaml'],
    },
    {
      when: 'a values file',
      action: 'render',
      files: CHART,
      inputs: { path: 'chart', values: 'values-{environment}.yaml' },
      code: 'VALUES_MISSING',
      says: ['chart/values-default.yaml does not exist', 'correct values'],
    },
    {
      when: 'a lock for the dependencies of a chart',
      action: 'render',
      files: {
        'chart/Chart.yaml': `${CHART['chart/Chart.yaml']}dependencies: [{name: db, version: 1.x, repository: "https://charts.example.test"}]\n`,
      },
      inputs: { path: 'chart' },
      code: 'CHART_LOCK_MISSING',
      says: ['commit Chart.lock'],
    },
    {
      when: 'a kustomization',
      action: 'render',
      files: { 'deploy/web.yaml': DEPLOYMENT },
      inputs: { path: 'deploy', engine: 'kustomize' },
      code: 'KUSTOMIZATION_MISSING',
      says: ['deploy holds no kustomization', 'engine plain'],
    },
    {
      when: 'the asserted version of a tool',
      action: 'render',
      files: { ...CHART, 'gitless.yaml': 'schema: 1\ntools: {helm: 4.0.0}\n' },
      inputs: { path: 'chart' },
      code: 'TOOL_VERSION',
      says: ['4.0.0', '4.2.4'],
    },
    {
      when: 'any file',
      action: 'package',
      files: { 'deploy/.sourceignore': '*\n', 'deploy/web.yaml': DEPLOYMENT },
      inputs: { path: 'deploy' },
      code: 'NOTHING_TO_PACK',
      says: ['web holds no file', '.sourceignore'],
    },
    {
      when: 'the tar of another job',
      action: 'package',
      files: {},
      inputs: { rendered: 'render.tar', 'rendered-digest': `sha256:${'a'.repeat(64)}` },
      code: 'FILE_UNREADABLE',
      says: ['render.tar cannot be read'],
    },
  ]);
});

describe('what cannot be read', () => {
  const broken = { 'deploy/web.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web\n' };
  refuses([
    {
      when: 'YAML',
      action: 'render',
      files: broken,
      inputs: { path: 'deploy' },
      code: 'YAML_INVALID',
      says: [/deploy\/web\.yaml:\d+:\d+ is not usable YAML/],
    },
    {
      when: 'YAML',
      action: 'package',
      files: broken,
      inputs: { path: 'deploy' },
      code: 'CHECKS_FAILED',
      says: [/web\.yaml:\d+:\d+ is not usable YAML/, 'yaml-parses'],
    },
    {
      when: 'the tar of another job, changed on the way',
      action: 'package',
      files: { 'render.tar': 'tar' },
      inputs: { rendered: 'render.tar', 'rendered-digest': `sha256:${'a'.repeat(64)}` },
      code: 'RENDERED_CHANGED',
      says: ['expected sha256:aaaa', 'seen sha256:', 'tar-digest'],
    },
  ]);
});

describe('what a signed artifact must not hold', () => {
  refuses([
    {
      when: 'a Secret in the clear',
      action: 'package',
      files: { 'deploy/db.yaml': SECRET },
      inputs: { path: 'deploy' },
      code: 'CHECKS_FAILED',
      says: ['db.yaml: Secret db holds stringData.password in the clear (no-plaintext-secret)', 'SOPS'],
    },
    {
      when: 'a remote base',
      action: 'package',
      files: { 'deploy/kustomization.yaml': 'resources: ["https://github.com/acme/base?ref=main"]\n' },
      inputs: { path: 'deploy' },
      code: 'CHECKS_FAILED',
      says: ['kustomization.yaml: resources names https://github.com/acme/base', 'no-remote-base'],
    },
    {
      when: 'a remote base',
      action: 'render',
      files: { 'deploy/kustomization.yaml': 'resources: ["https://github.com/acme/base?ref=main"]\n' },
      inputs: { path: 'deploy' },
      code: 'REMOTE_BASE',
      says: ['https://github.com/acme/base', 'copy it into the repository'],
    },
    {
      when: 'a base outside the component',
      action: 'package',
      files: { 'deploy/kustomization.yaml': 'resources: [../base]\n', 'base/web.yaml': DEPLOYMENT },
      inputs: { path: 'deploy' },
      code: 'CHECKS_FAILED',
      says: ['"../base", which lies outside the tree'],
    },
    {
      when: 'a symbolic link',
      action: 'package',
      files: { 'deploy/web.yaml': DEPLOYMENT },
      links: { 'deploy/passwd.yaml': '/etc/passwd' },
      inputs: { path: 'deploy', 'allow-dirty': 'deploy/passwd.yaml' },
      code: 'TREE_REFUSED',
      says: ['passwd.yaml', 'is a symbolic link', 'replace a link by what it points to'],
    },
    {
      when: 'a symbolic link out of the checkout',
      action: 'render',
      files: { 'deploy/web.yaml': DEPLOYMENT },
      links: { 'deploy/passwd.yaml': '/etc/passwd' },
      inputs: { path: 'deploy', 'allow-dirty': 'deploy/passwd.yaml' },
      code: 'PATH_ESCAPES',
      says: ['deploy/passwd.yaml'],
    },
    ...both({
      when: 'a path out of the checkout',
      files: { 'deploy/web.yaml': DEPLOYMENT },
      inputs: { path: '../../etc' },
      code: 'PATH_ESCAPES',
      says: ['../../etc'],
    }),
  ]);
});

describe('what is not in the commit', () => {
  const files = { 'deploy/web.yaml': DEPLOYMENT };
  refuses([
    ...both({
      when: 'a file that was changed after the checkout',
      files,
      dirty: { 'deploy/web.yaml': `${DEPLOYMENT}# changed\n` },
      inputs: { path: 'deploy' },
      code: 'DIRTY_TREE',
      says: ['deploy/web.yaml', 'allow-dirty'],
    }),
    ...both({
      when: 'a file that is untracked and not allowed',
      files,
      dirty: { 'deploy/a.yaml': DEPLOYMENT, 'deploy/b.yaml': DEPLOYMENT },
      inputs: { path: 'deploy', 'allow-dirty': 'deploy/a.yaml' },
      code: 'DIRTY_TREE',
      says: ['in one file', 'deploy/b.yaml'],
    }),
  ]);
});
