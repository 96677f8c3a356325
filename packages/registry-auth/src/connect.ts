import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '@gitless/core';
import { createRegistryClient, type RegistryClient } from '@gitless/oci';
import { type DockerAuths, readDockerConfig } from './docker-config.ts';
import { type CredentialsRequest, resolveCredentials } from './resolve-credentials.ts';

/**
 * A client for one registry with the only credentials that are meant for it: those given, else what an earlier login step left in the
 * docker config, else on ghcr.io the job token. Tells which source it took them from, never what they are.
 */
export async function connectRegistry(
  context: Context,
  request: Omit<CredentialsRequest, 'dockerAuths'> & { readonly 'plain-http': boolean },
): Promise<RegistryClient> {
  const dockerAuths = await findDockerConfig(context);
  const { credentials, source, note } = resolveCredentials({ ...request, dockerAuths });
  context.log.info(`${request.registry}: ${source}${note === undefined ? '' : ` (${note})`}`);
  return createRegistryClient(context, {
    registry: request.registry,
    credentials,
    plainHttp: request['plain-http'],
  });
}

/** `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json` (docs.docker.com/reference/cli/docker "Configuration files"). */
async function findDockerConfig({ env }: Context): Promise<DockerAuths | undefined> {
  const { DOCKER_CONFIG: folder, HOME: home } = env;
  const path = folder ? join(folder, 'config.json') : home ? join(home, '.docker', 'config.json') : undefined;
  const text = path && (await readFile(path, 'utf8').catch(() => undefined));
  return path === undefined || text === undefined ? undefined : readDockerConfig(text, path);
}
