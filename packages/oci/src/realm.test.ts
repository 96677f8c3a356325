import { describe, expect, it } from 'vitest';
import { registryOrigin } from './origin.ts';
import { checkRealm } from './realm.ts';

function check(registry: string, realm: string, plainHttp = false): string {
  return checkRealm(realm, { registry, origin: registryOrigin(registry, plainHttp), plainHttp }).href;
}

describe('checkRealm', () => {
  it.each([
    ['ghcr.io', 'https://ghcr.io/token', false],
    ['registry.example:5000', 'https://registry.example:5001/auth', false],
    ['registry.example.com', 'https://example.com/jwt/auth', false],
    ['docker.io', 'https://auth.docker.io/token', false],
    ['registry.gitlab.com', 'https://gitlab.com/jwt/auth', false],
    ['nvcr.io', 'https://authn.nvidia.com/token', false],
    ['10.0.0.5:5000', 'https://10.0.0.5:5000/token', false],
    ['127.0.0.1:5000', 'http://127.0.0.1:6000/token', true],
  ])('lets %s use %s', (registry, realm, plainHttp) => {
    expect(check(registry, realm, plainHttp)).toBe(realm);
  });

  it('resolves a relative realm against the registry', () => {
    expect(check('ghcr.io', '/token')).toBe('https://ghcr.io/token');
  });

  it.each([
    ['another host', 'ghcr.io', 'https://ghrc.io/token', false],
    ['a host that only ends like it', 'ghcr.io', 'https://evil-ghcr.io/token', false],
    ['a sub-domain', 'ghcr.io', 'https://evil.ghcr.io/token', false],
    ['a sibling', 'a.example.com', 'https://b.example.com/token', false],
    ['a top-level domain', 'ghcr.io', 'https://io/token', false],
    ["another registry's pair", 'ghcr.io', 'https://auth.docker.io/token', false],
    ['plain http', 'ghcr.io', 'http://ghcr.io/token', false],
    ['plain http to another machine', '127.0.0.1:5000', 'http://ghcr.io/token', true],
    ['plain http on loopback without leave', 'localhost:5000', 'http://localhost:5000/token', false],
    ['a metadata address', 'ghcr.io', 'https://169.254.169.254/token', false],
    ['an address in disguise', 'ghcr.io', 'https://0xa9fea9fe/token', false],
    ['a private address with another port', '10.0.0.5:5000', 'https://10.0.0.5:22/token', false],
    ['user info', 'ghcr.io', 'https://me:secret@ghcr.io/token', false],
    ['another scheme', 'ghcr.io', 'file:///etc/passwd', false],
    ['no URL', 'ghcr.io', 'https://', false],
  ])('refuses %s', (_name, registry, realm, plainHttp) => {
    expect(() => check(registry, realm, plainHttp)).toThrow(/REALM_REFUSED/);
  });

  it('names both hosts', () => {
    expect(() => check('ghcr.io', 'https://ghrc.io/token')).toThrow(/registry ghcr\.io .* https:\/\/ghrc\.io/);
  });
});

describe('registryOrigin', () => {
  it('allows plain http to this machine only', () => {
    expect(registryOrigin('localhost:5000', true).href).toBe('http://localhost:5000/');
    expect(registryOrigin('[::1]:5000', true).protocol).toBe('http:');
    expect(registryOrigin('docker.io', false).href).toBe('https://registry-1.docker.io/');
    for (const registry of ['ghcr.io', '127.0.0.1.nip.io', '128.0.0.1', 'localhost.example']) {
      expect(() => registryOrigin(registry, true)).toThrow(/PLAIN_HTTP_REFUSED/);
    }
    expect(() => registryOrigin('ghcr.io/acme', false)).toThrow(/BAD_REFERENCE/);
  });
});
