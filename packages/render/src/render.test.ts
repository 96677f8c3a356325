import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Answer, type Call, folder, problemOf, recordingContext, removeFolders, toolbox } from './fixtures.ts';
import { type RenderSpec, renderComponent } from './render.ts';

afterAll(removeFolders);

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {mode: 0644}\n';

function versionOr(answer: Answer): Answer {
  return (call) => (call.args[0] === 'version' ? 'v4.2.4' : answer(call));
}

async function specFor(
  files: Readonly<Record<string, string>>,
  changes: Partial<RenderSpec> = {},
): Promise<RenderSpec> {
  const workspace = await folder(files);
  return {
    name: 'web',
    directory: join(workspace, 'app'),
    workspace,
    engine: 'auto',
    environments: [],
    values: [],
    apiVersions: [],
    includeCrds: false,
    tools: {},
    tempDirectory: await folder(),
    ...changes,
  };
}

async function contextFor(answer: Answer) {
  return recordingContext(await toolbox('helm', 'kustomize'), versionOr(answer));
}

function commands(calls: readonly Call[], verb: string): Call[] {
  return calls.filter(({ args }) => args[0] === verb);
}

describe('renderComponent with plain manifests', () => {
  it('cuts files of each environment to one an object', async () => {
    const files = {
      'app/eu/a.yaml': `---\n${CONFIG_MAP}---\n${CONFIG_MAP.replace('web', 'db')}`,
      'app/us/b/c.yml': CONFIG_MAP,
    };
    const { context } = await contextFor(() => '');
    const rendered = await renderComponent(context, await specFor(files));
    expect(rendered).toEqual({
      engine: 'plain',
      environments: [
        {
          name: 'eu',
          files: [
            { path: 'eu/configmap-db.yaml', text: CONFIG_MAP.replace('web', 'db') },
            { path: 'eu/configmap-web.yaml', text: CONFIG_MAP },
          ],
        },
        { name: 'us', files: [{ path: 'us/configmap-web.yaml', text: CONFIG_MAP }] },
      ],
      tools: [],
      findings: [],
    });
  });

  it('names every environment that fails, in one error', async () => {
    const files = {
      'app/eu/a.yaml': 'a: b: c\n',
      'app/us/a.yaml': CONFIG_MAP,
      'app/zz/a.yaml': '# nothing\n',
      'app/yy/a.yaml': `${CONFIG_MAP}---\n${CONFIG_MAP}`,
    };
    const { context } = await contextFor(() => '');
    const spec = await specFor(files);
    const problem = await problemOf(() => renderComponent(context, spec));
    expect(problem).toMatchObject({ code: 'RENDER_FAILED' });
    expect(problem.details?.map((line) => line.replace(/ .*\[/, ' ['))).toEqual([
      expect.stringMatching(/^eu: \[YAML_INVALID\]/),
      expect.stringMatching(/^yy: \[RENDER_CLASH\]/),
      expect.stringMatching(/^zz: \[RENDER_EMPTY\]/),
    ]);
    expect(problem.details?.[0]).toContain('app/eu/a.yaml:1:');
  });

  it('names those that are not there among them', async () => {
    const { context } = await contextFor(() => '');
    const spec = await specFor(
      { 'app/eu/a.yaml': 'a: b: c\n', 'app/us/a.yaml': CONFIG_MAP },
      { environments: ['asia', 'eu', 'us', 'mars'] },
    );
    const problem = await problemOf(() => renderComponent(context, spec));
    expect(problem).toMatchObject({ code: 'RENDER_FAILED', what: '3 of 4 environments cannot be rendered' });
    expect(problem.details).toEqual([
      expect.stringMatching(/^asia: no folder for environment asia \[ENVIRONMENT_MISSING\]; looked for app\//),
      expect.stringMatching(/^eu: .*\[YAML_INVALID\]/),
      expect.stringMatching(/^mars: .*\[ENVIRONMENT_MISSING\]/),
    ]);
  });

  it('does not read through a link that leaves the repository', async () => {
    const outside = await folder({ 'secret.yaml': CONFIG_MAP });
    const spec = await specFor({ 'app/a.yaml': CONFIG_MAP });
    await symlink(join(outside, 'secret.yaml'), join(spec.directory, 'b.yaml'));
    const { context } = await contextFor(() => '');
    expect((await problemOf(() => renderComponent(context, spec))).details?.join()).toContain('[PATH_ESCAPES]');
  });
});

describe('renderComponent with Helm', () => {
  const CHART = {
    'app/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'app/values.yaml': '',
    'values/eu.yaml': '',
  };

  it('gives helm template what was asked for and nothing of the machine', async () => {
    const { context, calls } = await contextFor(() => CONFIG_MAP);
    const spec = await specFor(CHART, {
      environments: ['eu'],
      values: ['values.yaml', '../values/{environment}.yaml'],
      namespace: 'shop',
      kubeVersion: '1.36.0',
      apiVersions: ['a/v1', 'b/v1/C'],
      includeCrds: true,
      tools: { helm: '4.2.4' },
    });
    const rendered = await renderComponent(context, spec);
    expect(rendered.findings).toEqual([]);
    expect(rendered.tools).toMatchObject([{ name: 'helm', version: '4.2.4', asserted: true }]);
    const [call] = commands(calls, 'template');
    const values = [
      '--values',
      join(spec.directory, 'values.yaml'),
      '--values',
      join(spec.workspace, 'values/eu.yaml'),
    ];
    const capabilities = ['--kube-version', '1.36.0', '--api-versions', 'a/v1', '--api-versions', 'b/v1/C'];
    expect(call?.args).toEqual([
      ...['template', 'web', spec.directory, '--namespace', 'shop', ...values, ...capabilities],
      ...['--include-crds', '--skip-tests'],
    ]);
    for (const home of ['HELM_CACHE_HOME', 'HELM_CONFIG_HOME', 'HELM_DATA_HOME', 'KUBECONFIG']) {
      expect(call?.options?.env?.[home]).toContain(spec.tempDirectory);
    }
    expect(commands(calls, 'dependency')).toEqual([]);
  });

  it('finds what a reader should know: hooks, an unset Kubernetes version, an unasserted tool', async () => {
    const hook = 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: m, annotations: {helm.sh/hook: pre-install}}\n';
    const { context } = await contextFor(() => hook);
    const { findings } = await renderComponent(context, await specFor(CHART));
    expect(findings.join('\n')).toMatch(
      /helm is not asserted[\s\S]*kube-version is not set[\s\S]*default: Job m .*pre-install/,
    );
  });

  it.each([
    ['a values file that is missing', { values: ['values-{environment}.yaml'] }, 'VALUES_MISSING'],
    ['a values file outside the repository', { values: ['../../../etc/hosts'] }, 'PATH_ESCAPES'],
    ['a name that is no release name', { name: 'my_app' }, 'BAD_RELEASE_NAME'],
    ['a release name that reads as a flag', { releaseName: '--post-renderer' }, 'BAD_RELEASE_NAME'],
  ])('refuses %s', async (_name, changes, code) => {
    const { context, calls } = await contextFor(() => CONFIG_MAP);
    const spec = await specFor(CHART, changes);
    expect((await problemOf(() => renderComponent(context, spec))).details?.join()).toContain(`[${code}]`);
    expect(commands(calls, 'template')).toEqual([]);
  });

  it('says what helm said when it fails', async () => {
    const { context } = await contextFor(() => ({ exitCode: 1, stderr: 'Error: values need\na host\n' }));
    const spec = await specFor(CHART, { environments: ['eu', 'us'] });
    const { details } = await problemOf(() => renderComponent(context, spec));
    const reason =
      'helm template ended with exit code 1 [TOOL_FAILED]; Error: values need a host; run the same command on the same files to reproduce it';
    expect(details).toEqual([`eu: ${reason}`, `us: ${reason}`]);
  });

  it('refuses a chart with a link that leaves it', async () => {
    const { context } = await contextFor(() => CONFIG_MAP);
    const spec = await specFor(CHART);
    await symlink('/etc/hostname', join(spec.directory, 'hostname'));
    expect((await problemOf(() => renderComponent(context, spec))).details?.join()).toContain('[PATH_ESCAPES]');
  });

  it('builds locked dependencies once, in a copy that keeps the places of local ones', async () => {
    const dependency = 'dependencies: [{name: lib, version: 0.1.0, repository: file://../lib}]\n';
    const digest = 'sha256:3407568f070b58f4c6ac330b95b508a1ca03e505256cb7cfd4782c77b3c688c7';
    const files = {
      ...CHART,
      'app/Chart.yaml': `${CHART['app/Chart.yaml']}${dependency}`,
      'app/Chart.lock': `${dependency}digest: ${digest}\n`,
      'lib/Chart.yaml': 'apiVersion: v2\nname: lib\nversion: 0.1.0\n',
    };
    const seen: string[] = [];
    const { context, calls } = await contextFor(async ({ args }) => {
      if (args[0] === 'dependency') {
        seen.push(await readFile(join(args[2] ?? '', '../lib/Chart.yaml'), 'utf8'));
      }
      return CONFIG_MAP;
    });
    const spec = await specFor(files, { environments: ['eu', 'us'] });
    await renderComponent(context, spec);
    expect(seen).toEqual([files['lib/Chart.yaml']]);
    const [build] = commands(calls, 'dependency');
    expect(build?.args.slice(0, 2)).toEqual(['dependency', 'build']);
    expect(build?.args[2]).toContain(spec.tempDirectory);
    expect(commands(calls, 'template').map(({ args }) => args[2])).toEqual([build?.args[2], build?.args[2]]);
  });

  it('asks for nothing when the commit holds the locked dependencies', async () => {
    const dependency = 'dependencies: [{name: lib, version: 0.1.0, repository: file://../lib}]\n';
    const digest = 'sha256:3407568f070b58f4c6ac330b95b508a1ca03e505256cb7cfd4782c77b3c688c7';
    const { context, calls } = await contextFor(() => CONFIG_MAP);
    const spec = await specFor({
      ...CHART,
      'app/Chart.yaml': `${CHART['app/Chart.yaml']}${dependency}`,
      'app/Chart.lock': `${dependency}digest: ${digest}\n`,
      'app/charts/lib-0.1.0.tgz': 'as committed',
    });
    await renderComponent(context, spec);
    expect(calls.map(({ args }) => args[0])).not.toContain('dependency');
    expect(commands(calls, 'template').map(({ args }) => args[2])).toEqual([spec.directory]);
  });

  it('renders nothing when the lock is missing', async () => {
    const dependency = 'dependencies: [{name: redis, version: "1.x", repository: "https://charts.example"}]\n';
    const { context, calls } = await contextFor(() => CONFIG_MAP);
    const spec = await specFor({ ...CHART, 'app/Chart.yaml': `${CHART['app/Chart.yaml']}${dependency}` });
    expect((await problemOf(() => renderComponent(context, spec))).details?.join()).toContain('[CHART_LOCK_MISSING]');
    expect(calls.map(({ args }) => args[0])).toEqual(['version']);
  });
});

describe('renderComponent with Kustomize', () => {
  it('builds each overlay', async () => {
    const files = {
      'app/base/kustomization.yaml': 'resources: [web.yaml]\n',
      'app/base/web.yaml': CONFIG_MAP,
      'app/overlays/eu/kustomization.yaml': 'resources: [../../base]\n',
    };
    const { context, calls } = await contextFor(() => CONFIG_MAP);
    const spec = await specFor(files);
    const rendered = await renderComponent(context, spec);
    expect(rendered.environments.map(({ name }) => name)).toEqual(['eu']);
    expect(commands(calls, 'build').map(({ args }) => args)).toEqual([['build', join(spec.directory, 'overlays/eu')]]);
  });

  it('refuses remote bases before anything is fetched, without their passwords', async () => {
    const files = {
      'app/kustomization.yaml': 'resources: [../common]\n',
      'common/kustomization.yaml':
        'Resources: ["https://user:hunter2@host.example/x//y?ref=main"]\nhelmCharts: [{name: a}]\n',
    };
    const { context, calls } = await contextFor(() => CONFIG_MAP);
    const spec = await specFor(files);
    const problem = await problemOf(() => renderComponent(context, spec));
    const line = problem.details?.join() ?? '';
    expect(line).toContain('[REMOTE_BASE]');
    expect(line).toContain('common/kustomization.yaml: resources names https://host.example/x//y?ref=main');
    expect(line).toContain('helmCharts pulls a chart');
    expect(line).not.toContain('hunter2');
    expect(commands(calls, 'build')).toEqual([]);
  });

  it.each([
    [
      'in place',
      `generators: [${JSON.stringify('apiVersion: builtin\nkind: ConfigMapGenerator\nfiles: ["https://host.example/x"]')}]`,
    ],
    ['in a file', 'generators: [fetch.yaml]'],
    ['in a folder', 'transformers: [fetch]'],
  ])('refuses a builtin plugin, configured %s, that would fetch', async (_where, kustomization) => {
    const plugin = 'apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: https://host.example/x\n';
    const { context, calls } = await contextFor(() => CONFIG_MAP);
    const spec = await specFor({
      'app/kustomization.yaml': `${kustomization}\n`,
      'app/fetch.yaml': plugin,
      'app/fetch/kustomization.yaml': 'resources: [fetch.yaml]\n',
      'app/fetch/fetch.yaml': plugin,
    });
    const line = (await problemOf(() => renderComponent(context, spec))).details?.join() ?? '';
    expect(line).toContain('[REMOTE_BASE]');
    expect(line).toContain('https://host.example/x');
    expect(commands(calls, 'build')).toEqual([]);
  });

  it('refuses a base outside the repository', async () => {
    const { context } = await contextFor(() => CONFIG_MAP);
    const spec = await specFor({ 'app/kustomization.yaml': 'bases: [../../]\n' });
    expect((await problemOf(() => renderComponent(context, spec))).details?.join()).toContain('[PATH_ESCAPES]');
  });
});
