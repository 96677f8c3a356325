import { isIPv4 } from 'node:net';
import { UserError } from '@gitless/core';
import { isRegistryHost } from './reference.ts';

/** Whether a URL's host is this machine: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(url: URL): boolean {
  const host = url.hostname;
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}

/** https, or http to this machine when plain http was asked for: nothing else may carry credentials or content. */
export function isTransferAllowed(url: URL, plainHttp: boolean): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && plainHttp && isLoopback(url));
}

/**
 * Where a registry's `/v2/` lives; Docker Hub's API has a host of its own.
 * Throws `BAD_REFERENCE` for what is not `host[:port]`, `PLAIN_HTTP_REFUSED` for plain http to another machine.
 */
export function registryOrigin(registry: string, plainHttp: boolean): URL {
  if (!isRegistryHost(registry)) {
    throw new UserError({
      code: 'BAD_REFERENCE',
      what: `registry ${JSON.stringify(registry)} is not a host`,
      fix: 'write host or host:port in lower case, such as ghcr.io or localhost:5000',
    });
  }
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const origin = new URL(`${plainHttp ? 'http' : 'https'}://${host}`);
  if (!isTransferAllowed(origin, plainHttp)) {
    throw new UserError({
      code: 'PLAIN_HTTP_REFUSED',
      what: `plain http to ${registry} is refused`,
      why: 'whoever is on the way could read the credentials and change the answers; it is for a registry on this machine',
      fix: 'use https, or a registry on localhost',
    });
  }
  return origin;
}
