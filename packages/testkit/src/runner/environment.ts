// docs.github.com "Variables reference", "Default environment variables". Paths are those of a container job.
const DEFAULTS = {
  CI: 'true',
  GITHUB_ACTION: '__step',
  GITHUB_ACTIONS: 'true',
  GITHUB_ACTOR: 'octocat',
  GITHUB_ACTOR_ID: '583231',
  GITHUB_API_URL: 'https://api.github.com',
  GITHUB_BASE_REF: '',
  GITHUB_ENV: '/github/file_commands/set_env',
  GITHUB_EVENT_NAME: 'push',
  GITHUB_EVENT_PATH: '/github/workflow/event.json',
  GITHUB_GRAPHQL_URL: 'https://api.github.com/graphql',
  GITHUB_HEAD_REF: '',
  GITHUB_JOB: 'ship',
  GITHUB_OUTPUT: '/github/file_commands/set_output',
  GITHUB_PATH: '/github/file_commands/add_path',
  GITHUB_REF: 'refs/heads/main',
  GITHUB_REF_PROTECTED: 'true',
  GITHUB_REPOSITORY: 'acme/shop',
  GITHUB_REPOSITORY_ID: '712345678',
  GITHUB_REPOSITORY_OWNER_ID: '91234567',
  GITHUB_RETENTION_DAYS: '90',
  GITHUB_RUN_ATTEMPT: '1',
  GITHUB_RUN_ID: '16234567890',
  GITHUB_RUN_NUMBER: '42',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_SHA: 'c0ffee254729296a45a3885639ac7e10f9d54979',
  GITHUB_STATE: '/github/file_commands/save_state',
  GITHUB_STEP_SUMMARY: '/github/file_commands/step_summary',
  GITHUB_WORKFLOW: 'Ship',
  GITHUB_WORKSPACE: '/github/workspace',
  RUNNER_ARCH: 'X64',
  RUNNER_ENVIRONMENT: 'github-hosted',
  RUNNER_NAME: 'GitHub Actions 1',
  RUNNER_OS: 'Linux',
  RUNNER_TEMP: '/github/runner_temp',
  RUNNER_TOOL_CACHE: '/opt/hostedtoolcache',
} as const satisfies Record<string, string>;

/** Follow from the others unless they are given. */
type Derived =
  | 'GITHUB_REF_NAME'
  | 'GITHUB_REF_TYPE'
  | 'GITHUB_REPOSITORY_OWNER'
  | 'GITHUB_TRIGGERING_ACTOR'
  | 'GITHUB_WORKFLOW_REF'
  | 'GITHUB_WORKFLOW_SHA';

export type GithubEnvironment = Readonly<Record<keyof typeof DEFAULTS | Derived, string>>;

/** What a step of a push to `main` of acme/shop finds in its environment; what depends on an override follows it. */
export function githubEnvironment(overrides: Partial<GithubEnvironment> = {}): GithubEnvironment {
  const set = { ...DEFAULTS, ...overrides };
  return {
    GITHUB_REF_NAME: set.GITHUB_REF.replace(/^refs\/(?:heads|tags|pull)\//, ''),
    GITHUB_REF_TYPE: set.GITHUB_REF.startsWith('refs/tags/') ? 'tag' : 'branch',
    GITHUB_REPOSITORY_OWNER: set.GITHUB_REPOSITORY.split('/')[0] ?? '',
    GITHUB_TRIGGERING_ACTOR: set.GITHUB_ACTOR,
    GITHUB_WORKFLOW_REF: `${set.GITHUB_REPOSITORY}/.github/workflows/ship.yml@${set.GITHUB_REF}`,
    GITHUB_WORKFLOW_SHA: set.GITHUB_SHA,
    ...set,
  };
}
