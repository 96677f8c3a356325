/** Docker Hub's names, which are one registry (docker/cli `cli/config/credentials`). */
const DOCKER_HUB: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** The host that a docker config key or a registry names, for exact comparison: without scheme and path, lower case. */
export function registryHost(name: string): string {
  const [host = ''] = name.replace(/^https?:\/\//i, '').split('/');
  const lower = host.toLowerCase();
  return DOCKER_HUB.includes(lower) ? 'docker.io' : lower;
}
