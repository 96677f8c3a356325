import { isIP } from 'node:net';
import { UserError } from '@gitless/core';
import { isLoopback, isTransferAllowed } from './origin.ts';

/** Token services under another name than their registry's, as their challenges name them. */
const KNOWN_REALM_HOSTS: Readonly<Record<string, string>> = {
  'docker.io': 'auth.docker.io',
  'registry.gitlab.com': 'gitlab.com',
  'nvcr.io': 'authn.nvidia.com',
};

export interface RealmRule {
  /** As the user wrote it, `docker.io` for Docker Hub. */
  readonly registry: string;
  readonly origin: URL;
  readonly plainHttp: boolean;
}

/**
 * The URL that credentials may be sent to for a token, from a challenge's `realm`. A registry chooses the realm, so it
 * could name any host (CVE-2026-48978): allowed are its own host, a parent domain of it (whose owner decides over the
 * registry's name anyway) and the known pairs; https only, but http on loopback with plain http; an address in place
 * of a name only as the registry's own origin. Throws `REALM_REFUSED`, naming both hosts.
 */
export function checkRealm(realm: string, rule: RealmRule): URL {
  const url = URL.parse(realm, rule.origin.href);
  if (url === null || url.username !== '' || url.password !== '') {
    throw refused('an unreadable address', rule, 'its realm is not a plain URL');
  }
  if (!isTransferAllowed(url, rule.plainHttp)) {
    throw refused(url.origin, rule, 'credentials travel over https only');
  }
  if (url.origin === rule.origin.origin) {
    return url;
  }
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0 && !isLoopback(url)) {
    throw refused(url.origin, rule, 'the token service is an address, not a name, and not the registry itself');
  }
  if (!isRelatedHost(url.hostname, rule)) {
    throw refused(url.origin, rule, 'the token service belongs to another host, which would receive the credentials');
  }
  return url;
}

function isRelatedHost(host: string, { registry, origin }: RealmRule): boolean {
  const isParent = host.includes('.') && origin.hostname.endsWith(`.${host}`);
  return host === origin.hostname || isParent || KNOWN_REALM_HOSTS[registry] === host;
}

function refused(target: string, { registry }: RealmRule, why: string): UserError {
  return new UserError({
    code: 'REALM_REFUSED',
    what: `registry ${registry} asks to send credentials to ${target}`,
    why,
    fix: 'check the spelling of the registry host; use a registry whose token service has its host or parent domain',
  });
}
