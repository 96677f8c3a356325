/**
 * Where the docs of the running action are: a link to its repository at the commit that the workflow pins, since the checkout of a user holds
 * no `docs/errors.md`. `docs` when the runner names no repository, as for an action of the checkout itself, or an odd one.
 * Source: docs.github.com, "Default environment variables" (`GITHUB_ACTION_REPOSITORY`, `GITHUB_ACTION_REF`).
 */
export function docsAddress(env: Readonly<Record<string, string | undefined>>): string {
  const server = env['GITHUB_SERVER_URL'] ?? '';
  const repository = env['GITHUB_ACTION_REPOSITORY'] ?? '';
  const ref = env['GITHUB_ACTION_REF'] ?? '';
  const known = /^https:\/\/[\w.:-]+$/.test(server) && /^[\w.-]+\/[\w.-]+$/.test(repository) && /^[\w./-]+$/.test(ref);
  return known ? `${server}/${repository}/blob/${ref}/docs` : 'docs';
}
