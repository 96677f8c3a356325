import { UserError } from '@gitless/core';
import type { Credentials } from '@gitless/oci';
import * as v from 'valibot';
import { registryHost } from './registry-host.ts';

const Entry = v.object({
  auth: v.exactOptional(v.string()),
  username: v.exactOptional(v.string()),
  password: v.exactOptional(v.string()),
  identitytoken: v.exactOptional(v.string()),
  registrytoken: v.exactOptional(v.string()),
});

const DockerConfig = v.object({ auths: v.exactOptional(v.record(v.string(), Entry), {}) });

/** What a docker config file holds for each registry host; credential helpers are not run. */
export type DockerAuths = ReadonlyMap<string, v.InferOutput<typeof Entry>>;

/**
 * Reads the `auths` of a docker `config.json` (docker/cli `cli/config/configfile`), by normalised host: the first of
 * equal hosts counts. `where` names the file in messages. Throws `BAD_DOCKER_CONFIG`, without the file's values.
 */
export function readDockerConfig(text: string, where: string): DockerAuths {
  const { auths } = parseSecretly(text, where);
  const byHost = new Map<string, v.InferOutput<typeof Entry>>();
  for (const [key, entry] of Object.entries(auths)) {
    const host = registryHost(key);
    if (!byHost.has(host)) {
      byHost.set(host, entry);
    }
  }
  return byHost;
}

/** Names what is wrong without quoting the file, which holds passwords. */
function parseSecretly(text: string, where: string): v.InferOutput<typeof DockerConfig> {
  const fix = 'correct the file, or log in again';
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw new UserError({ code: 'BAD_DOCKER_CONFIG', what: `${where} is not JSON`, fix });
  }
  const parsed = v.safeParse(DockerConfig, data);
  if (!parsed.success) {
    const details = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'top level'}: wants ${issue.expected}`);
    throw new UserError({ code: 'BAD_DOCKER_CONFIG', what: `${where} is not what it should be`, details, fix });
  }
  return parsed.output;
}

/**
 * The credentials of exactly this host; undefined when there are none (an empty entry means that a helper keeps them).
 * Throws `BAD_DOCKER_CONFIG` for an `auth` that is not base64 of `user:password`, and
 * `DOCKER_CREDENTIALS_UNSUPPORTED` for identity and registry tokens.
 */
export function dockerCredentials(auths: DockerAuths, registry: string): Credentials | undefined {
  const entry = auths.get(registryHost(registry));
  if (entry === undefined) {
    return undefined;
  }
  const { username, password } = entry.auth ? decodeAuth(entry.auth, registry) : entry;
  if (entry.identitytoken || entry.registrytoken || username === '<token>') {
    throw new UserError({
      code: 'DOCKER_CREDENTIALS_UNSUPPORTED',
      what: `the docker config holds an identity or registry token for ${registry}`,
      why: 'only user name and password are read from it',
      fix: 'give user name and password, or a token, as inputs',
    });
  }
  return username && password ? { kind: 'basic', username, password } : undefined;
}

function decodeAuth(auth: string, registry: string): { username: string; password: string } {
  const text = /^[A-Za-z0-9+/]+={0,2}$/.test(auth) ? Buffer.from(auth, 'base64').toString('utf8') : '';
  const colon = text.indexOf(':');
  if (colon < 1) {
    throw new UserError({
      code: 'BAD_DOCKER_CONFIG',
      what: `the docker config's "auth" for ${registry} is not base64 of user:password`,
      fix: 'log in to the registry again',
    });
  }
  // Docker pads passwords with NUL.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}
