import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { ActionRun } from '@gitless/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, promote } from './steps.ts';
import { requireSuccess, startWorld, type World } from './support.ts';

const USER = 'release-robot';
const PASSWORD = 'correct-horse-battery-staple';
const JOB_TOKEN = 'ghs_0123456789abcdefghijABCDEFGHIJ';
const WRONG_PASSWORD = 'incorrect-horse-battery-staple';

/** What a child process may see (design: invariant 5), and what a shell adds by itself. */
const CHILD_MAY_SEE =
  /^(?:PATH|HOME|TMPDIR|LANG|LC_ALL|TZ|SSL_CERT_FILE|SSL_CERT_DIR|HTTPS?_PROXY|NO_PROXY|https?_proxy|no_proxy|PWD|OLDPWD|SHLVL|_)$/;

describe('a secret', () => {
  let world: World;
  let tools: string;
  const runs: ActionRun[] = [];

  beforeAll(async () => {
    world = await startWorld({
      files: { 'apps/web/kustomization.yaml': 'resources: [web.yaml]\n', 'apps/web/web.yaml': deployment('web') },
      registry: { auth: { kind: 'bearer', username: USER, password: PASSWORD } },
    });
    tools = await mkdtemp(join(tmpdir(), 'gitless-tools-'));
    await wrap('git', `exec ${await whereIs('git')} "$@"`);
    await wrap(
      'kustomize',
      `case "$*" in *version*) echo v5.8.1 ;; *) cat "${world.workspace.dir}/apps/web/web.yaml" ;; esac`,
    );
    const login = { username: USER, password: PASSWORD };
    const options = {
      token: JOB_TOKEN,
      env: { PATH: `${tools}:${process.env['PATH']}`, RUNNER_DEBUG: '1', GITHUB_TOKEN: JOB_TOKEN },
    };
    runs.push(
      requireSuccess(await world.run('render', { name: 'web', path: 'apps/web' }, options)),
      requireSuccess(await world.run('package', {}, options)),
      requireSuccess(await world.run('sign', {}, options)),
      await world.run('push', { username: USER, password: WRONG_PASSWORD }, options),
      await world.run('push', { ...login, username: undefined }, options),
      requireSuccess(await world.run('push', login, options)),
    );
    const digest = world.registry.tags('acme/web').get('latest');
    const promotion = { ...login, from: digest, components: 'web', version: 'v1.0.0' };
    runs.push(
      requireSuccess(await promote(world, { ...promotion, 'dry-run': 'true' }, options)),
      requireSuccess(
        await promote(world, { ...promotion, 'to-registry': `${world.registry.host}/production` }, options),
      ),
    );
  });
  afterAll(async () => {
    await world.close();
    await rm(tools, { recursive: true });
  });

  /** A tool of the machine that first writes down its environment. */
  async function wrap(name: string, command: string): Promise<void> {
    await mkdir(join(tools, 'seen'), { recursive: true });
    const script = `#!/bin/sh\nenv -0 > "$(mktemp '${tools}/seen/${name}-XXXXXXXX')"\n${command}\n`;
    await writeFile(join(tools, name), script, { mode: 0o755 });
  }

  function secrets(): string[] {
    const { issuedTokens, requestToken } = world.issuer;
    expect(issuedTokens.length).toBeGreaterThanOrEqual(2);
    const basic = [PASSWORD, WRONG_PASSWORD].map((password) => Buffer.from(`${USER}:${password}`).toString('base64'));
    return [
      PASSWORD,
      WRONG_PASSWORD,
      ...basic,
      JOB_TOKEN,
      requestToken,
      ...issuedTokens,
      ...issuedTokens.map((token) => token.split('.')[2] ?? ''),
      ...registryTokens(),
    ];
  }

  /** The tokens of the registry's token service, known to nobody but client and registry: the client masks them. */
  function registryTokens(): string[] {
    return runs.flatMap((run) => run.masks).filter((mask) => /^[0-9a-f]{24}$/.test(mask));
  }

  /** Which of the secrets stand in `texts`: the secrets themselves must not come into a message of this test. */
  function leaks(texts: readonly (readonly [where: string, text: string])[]): string[] {
    return texts.flatMap(([where, text]) =>
      secrets().flatMap((secret, index) => (text.includes(secret) ? [`secret ${index} in ${where}`] : [])),
    );
  }

  it('is masked before anything else can print it', () => {
    const masks = runs.flatMap((run) => run.masks);
    const known = [PASSWORD, WRONG_PASSWORD, world.issuer.requestToken, ...world.issuer.issuedTokens];
    expect(known.filter((secret) => !masks.includes(secret))).toEqual([]);
    expect(registryTokens().length).toBeGreaterThanOrEqual(3);
  });

  it('is in no log, output, state, variable or summary', () => {
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 1, 1, 0, 0, 0]);
    const texts = runs.flatMap((run, index) => [
      [`log ${index}`, `${run.stdout}\n${run.stderr}`.replaceAll(/^::add-mask::.*$/gm, '')] as const,
      [`results ${index}`, JSON.stringify([run.outputs, run.state, run.env])] as const,
      [`summary ${index}`, run.summary] as const,
      [`annotations ${index}`, JSON.stringify(run.annotations)] as const,
    ]);
    expect(leaks(texts)).toEqual([]);
  });

  it('is in no file that the steps leave', async () => {
    const entries = await readdir(world.temp, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    expect(files.filter((file) => file.includes('/gitless/')).length).toBeGreaterThan(10);
    expect(
      leaks(await Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as const))),
    ).toEqual([]);
  });

  it('is nowhere in the registry, nor in an address that it was asked for', () => {
    const { registry } = world;
    const paths = registry.requests.map(({ path }) => path);
    const digests = new Set(paths.flatMap((path) => decodeURIComponent(path).match(/sha256:[0-9a-f]{64}/g) ?? []));
    const blobs = [...digests].flatMap((digest) => {
      const bytes = registry.blob(digest);
      return bytes === undefined ? [] : [Buffer.from(bytes)];
    });
    expect(blobs.length).toBeGreaterThan(8);
    const contents = blobs.map((bytes) => (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('latin1'));
    const payloads = contents.flatMap((text) =>
      [...text.matchAll(/"payload":"([^"]+)"/g)].map(([, payload = '']) => Buffer.from(payload, 'base64').toString()),
    );
    expect(payloads.length).toBeGreaterThan(4);
    const manifests = ['acme/web', 'production/web'].flatMap((name) =>
      registry.manifests(name).map(({ bytes }) => Buffer.from(bytes).toString('latin1')),
    );
    expect(
      leaks(
        [...contents, ...payloads, ...manifests, ...paths, ...world.sigstore.requests.map(({ path }) => path)].map(
          (text, index) => [`${index}`, text],
        ),
      ),
    ).toEqual([]);
  });

  it('reaches no child process, nor does anything else of the job', async () => {
    const files = await readdir(join(tools, 'seen'));
    expect(new Set(files.map((file) => file.split('-')[0]))).toEqual(new Set(['git', 'kustomize']));
    for (const file of files) {
      const environment = await readFile(join(tools, 'seen', file), 'utf8');
      expect(leaks([[file, environment]])).toEqual([]);
      const names = environment.split('\0').flatMap((entry) => (entry === '' ? [] : [entry.split('=')[0] ?? '']));
      expect(names.filter((name) => !CHILD_MAY_SEE.test(name))).toEqual([]);
    }
  });
});

async function whereIs(program: string): Promise<string> {
  return (await promisify(execFile)('/bin/sh', ['-c', `command -v ${program}`])).stdout.trim();
}
