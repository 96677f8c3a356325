import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toolFile } from '../build-tools.ts';
import { eventually, prints, type ServerProcess, type ServerState, startProcess } from './process.ts';
import { startTokenService, type TokenService } from './token-service.ts';

export interface RegistryServer {
  /** `127.0.0.1:<port>`, of one with a token service `localhost:<port>`: clients want both under one name. */
  readonly host: string;
  /** Where access is by token. */
  readonly tokens?: RegistryTokens;
  stop(): Promise<void>;
}

interface RegistryTokens {
  /** From now on no token is good for this repository. */
  withdraw(repository: string): void;
  /** Runs `use`; the tokens given meanwhile have expired afterwards, long before the time that came with them. */
  expireAfter(use: () => Promise<void>): Promise<void>;
}

/** Who may do everything where a login is wanted. */
export const LOGIN = { username: 'robot', password: 'opensesame' } as const;
/** `LOGIN` as `htpasswd -B` writes it, with the lowest cost. */
const HTPASSWD = 'robot:$2a$04$K8bzDxWMjjonCEh/GPanTu5gxLAk889awkYXXXd1nHpHz1qz5v/Vm\n';

/** What distribution asks for: nothing, Basic credentials, or a token of a service that takes them. */
export type RegistryAccess = 'open' | 'htpasswd' | 'token';

/**
 * distribution v3 with its content in the folder of `state`. It has no referrers API, as GHCR: referrers live in the
 * fallback tag.
 */
export async function startDistribution(
  state: ServerState,
  access: RegistryAccess = 'open',
  { tagsPerPage }: { readonly tagsPerPage?: number } = {},
): Promise<RegistryServer> {
  const name = `registry-${access}`;
  const folder = join(state.folder, name);
  await mkdir(folder);
  const { auth, service } = await accessControl(access, folder);
  const config = join(folder, 'config.json');
  await writeFile(
    config,
    JSON.stringify({
      version: '0.1',
      storage: { filesystem: { rootdirectory: join(folder, 'content') }, delete: { enabled: true } },
      http: { addr: '127.0.0.1:0' },
      ...(tagsPerPage === undefined ? {} : { tags: { maxtags: tagsPerPage } }),
      ...auth,
    }),
  );
  const server = startProcess(state, {
    name,
    file: await toolFile('registry'),
    args: ['serve', config],
    env: { OTEL_TRACES_EXPORTER: 'none' },
  });
  const { host: address, stop } = await withHost(server, service?.close);
  const host = access === 'token' ? address.replace('127.0.0.1', 'localhost') : address;
  return { host, stop, ...(service === undefined ? {} : { tokens: tokensOf(service, host) }) };
}

/** go-containerregistry's registry in memory, with the referrers API and without authentication. */
export async function startReferrersRegistry(state: ServerState): Promise<RegistryServer> {
  const file = await toolFile('refregistry', 'go-containerregistry');
  return withHost(startProcess(state, { name: 'refregistry', file, args: [] }));
}

async function withHost(server: ServerProcess, stopMore?: () => Promise<void>): Promise<RegistryServer> {
  const stop = async () => {
    await server.stop();
    await stopMore?.();
  };
  try {
    return { host: await server.until(prints(() => server, /listening on (127\.0\.0\.1:\d+)/)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function tokensOf(service: TokenService, host: string): RegistryTokens {
  return {
    withdraw: service.withdraw,
    async expireAfter(use) {
      const authorization = `Bearer ${await service.withShortLives(use)}`;
      await eventually('the registry refuses the token', async () => {
        const response = await fetch(`http://${host}/v2/`, { headers: { authorization } });
        return response.status === 401;
      });
    },
  };
}

async function accessControl(
  access: RegistryAccess,
  folder: string,
): Promise<{ readonly auth?: Record<string, unknown>; readonly service?: TokenService }> {
  switch (access) {
    case 'open':
      return {};
    case 'htpasswd': {
      const path = join(folder, 'htpasswd');
      await writeFile(path, HTPASSWD);
      return { auth: { auth: { htpasswd: { realm: 'peers', path } } } };
    }
    case 'token': {
      const service = await startTokenService(LOGIN);
      const jwks = join(folder, 'jwks.json');
      await writeFile(jwks, JSON.stringify(service.jwks));
      const { realm, issuer, audience } = service;
      const token = { realm, issuer, service: audience, jwks, signingalgorithms: ['ES256'] };
      return { auth: { auth: { token } }, service };
    }
  }
}
