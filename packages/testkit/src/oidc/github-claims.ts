/** Claims by name; `undefined` removes one that would be there by default. */
export type ClaimOverrides = Record<string, string | undefined>;

const SHA = '8f1c2d3e4a5b69788796a5b4c3d2e1f00f1e2d3c';

/**
 * The claims that GitHub puts into a workflow's token, all strings, for a push to `main` of acme/shop by ship.yml.
 * Claims that GitHub derives (owner, workflow references, `sub`) follow from the overridden ones unless overridden too.
 * https://docs.github.com/actions/reference/security/oidc
 */
export function githubClaims(overrides: ClaimOverrides): Record<string, string> {
  const repository = overrides['repository'] ?? 'acme/shop';
  const owner = repository.split('/')[0] ?? repository;
  const ref = overrides['ref'] ?? 'refs/heads/main';
  const sha = overrides['sha'] ?? SHA;
  const workflowRef = overrides['workflow_ref'] ?? `${repository}/.github/workflows/ship.yml@${ref}`;
  const environment = overrides['environment'];
  const claims: ClaimOverrides = {
    sub: `repo:${repository}:${environment === undefined ? `ref:${ref}` : `environment:${environment}`}`,
    actor: 'octocat',
    actor_id: '583231',
    base_ref: '',
    check_run_id: '51203981234',
    enterprise: 'acme-group',
    enterprise_id: '7421',
    event_name: 'push',
    head_ref: '',
    job_workflow_ref: workflowRef,
    job_workflow_sha: sha,
    ref,
    ref_protected: 'true',
    ref_type: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    repository,
    repository_id: '814729135',
    repository_owner: owner,
    repository_owner_id: '9919',
    repository_visibility: 'private',
    run_attempt: '1',
    run_id: '18012345678',
    run_number: '42',
    runner_environment: 'github-hosted',
    sha,
    workflow: 'ship',
    workflow_ref: workflowRef,
    workflow_sha: sha,
    ...overrides,
  };
  return Object.fromEntries(
    Object.entries(claims).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
