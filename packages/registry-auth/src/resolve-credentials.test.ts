import { describe, expect, it } from 'vitest';
import { readDockerConfig } from './docker-config.ts';
import { type CredentialsRequest, resolveCredentials } from './resolve-credentials.ts';

const anonymous = { kind: 'anonymous' };
const base64 = (text: string) => Buffer.from(text).toString('base64');

function config(auths: unknown): CredentialsRequest['dockerAuths'] & object {
  return readDockerConfig(JSON.stringify({ auths, credsStore: 'desktop' }), 'config.json');
}

describe('resolveCredentials', () => {
  const all: CredentialsRequest = {
    registry: 'ghcr.io',
    username: 'user',
    password: 'password',
    'job-token': 'job',
    actor: 'octocat',
    dockerAuths: config({ 'ghcr.io': { auth: base64('docker:secret') } }),
  };

  it('takes the most explicit ones, and names their source without their value', () => {
    const { username: _u, password: _p, ...implicit } = all;
    const { dockerAuths: _d, ...job } = implicit;
    const basic = (username: string, password: string) => ({ kind: 'basic', username, password });
    for (const [request, credentials] of [
      [all, basic('user', 'password')],
      [{ ...implicit, token: 'token' }, basic('gitless', 'token')],
      [{ ...implicit, username: 'user', token: 'token' }, basic('user', 'token')],
      [implicit, basic('docker', 'secret')],
      [job, basic('octocat', 'job')],
      [{ ...job, actor: '' }, basic('gitless', 'job')],
      [{ registry: 'ghcr.io', username: '', password: '', token: '', 'job-token': '' }, anonymous],
    ] as const) {
      const resolved = resolveCredentials(request);
      expect(resolved.credentials).toEqual(credentials);
      expect(resolved.source).not.toMatch(/secret|octocat/);
    }
  });

  it.each(['ghrc.io', 'ghcr.io.example.com', 'ghcr.io:444', 'GHCR.IO', 'docker.io'])(
    'gives the job token to no other registry: %s',
    (registry) => {
      const resolved = resolveCredentials({ registry, 'job-token': 'job' });
      expect(resolved.credentials).toEqual(anonymous);
      expect(resolved.note).toContain(registry);
      expect(resolved.note).toContain('ghcr.io only');
    },
  );

  it.each([
    { username: 'user' },
    { password: 'password' },
    { username: 'user', password: 'password', token: 'token' },
    { username: 'us:er', password: 'password' },
  ])('refuses halves and contradictions: %j', (given) => {
    expect(() => resolveCredentials({ registry: 'ghcr.io', ...given })).toThrow(/BAD_CREDENTIALS/);
  });
});

describe('a docker config', () => {
  const resolve = (auths: unknown, registry: string) =>
    resolveCredentials({ registry, dockerAuths: config(auths) }).credentials;

  it.each([
    ['https://ghcr.io/v2/', 'ghcr.io'],
    ['ghcr.io', 'ghcr.io'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['registry.example:5000', 'registry.example:5000'],
  ])('key %s serves %s', (key, registry) => {
    expect(resolve({ [key]: { username: 'u', password: 'p' } }, registry)).toMatchObject({
      username: 'u',
      password: 'p',
    });
  });

  it.each([
    ['ghcr.io', 'ghcr.io.example.com'],
    ['ghcr.io.example.com', 'ghcr.io'],
    ['registry.example', 'registry.example:5000'],
    ['https://evil.example/ghcr.io', 'ghcr.io'],
  ])('key %s does not serve %s', (key, registry) => {
    expect(resolve({ [key]: { username: 'u', password: 'p' } }, registry)).toEqual(anonymous);
  });

  it('holds nothing where a helper keeps the credentials', () => {
    expect(resolve({ 'ghcr.io': {} }, 'ghcr.io')).toEqual(anonymous);
  });

  it('keeps colons in a password', () => {
    expect(resolve({ 'ghcr.io': { auth: base64('u:p:q') } }, 'ghcr.io')).toMatchObject({ password: 'p:q' });
  });

  it.each([{ auth: base64('hunter2') }, { auth: '%%hunter2' }, { auth: base64(':hunter2') }])(
    'is refused with an auth that is none, without showing it: %j',
    (entry) => {
      const work = () => resolve({ 'ghcr.io': entry }, 'ghcr.io');
      expect(work).toThrow(/BAD_DOCKER_CONFIG/);
      expect(work).not.toThrow(/hunter2/);
    },
  );

  it('with an identity token says that it cannot be used', () => {
    for (const entry of [{ identitytoken: 't' }, { registrytoken: 't' }, { auth: base64('<token>:t') }]) {
      expect(() => resolve({ 'ghcr.io': entry }, 'ghcr.io')).toThrow(/DOCKER_CREDENTIALS_UNSUPPORTED/);
    }
  });

  it.each(['{"auths":{"ghcr.io":"hunter2"}}', '{"auths": hunter2', 'null', '{"auths":{"x":{"auth":{"hunter2":1}}}}'])(
    'that is broken is refused without being quoted',
    (text) => {
      try {
        readDockerConfig(text, 'config.json');
        expect.unreachable();
      } catch (error) {
        expect(error).toMatchObject({ code: 'BAD_DOCKER_CONFIG' });
        expect(JSON.stringify(error)).not.toContain('hunter2');
      }
    },
  );
});
