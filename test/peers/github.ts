import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createWorkspace, type Workspace } from '@gitless/testkit';
import { ACTIONS, ROOT } from '../../scripts/repository.ts';
import { runAct, type WorkflowRun } from './act.ts';
import type { Files, Services } from './organisation.ts';
import type { ServerState } from './servers/process.ts';
import { output, plainEnvironment } from './support.ts';
import { filledIn, forAct, tokenJobs } from './user-workflow.ts';

const STAND_INS = join(import.meta.dirname, 'stand-ins');
const GITLESS = 'acme/gitless';
const MAIN = 'refs/heads/main';

interface RunOptions {
  readonly event?: string;
  /** Merged into the payload; the inputs of a dispatch are `inputs` there. */
  readonly payload?: Readonly<Record<string, unknown>>;
  /** Above 1: of the run before this one. */
  readonly attempt?: number;
  /** Lets every job ask for a token, whatever its permissions say. */
  readonly tokenForAll?: boolean;
  /** A reusable workflow of another repository that this one calls. */
  readonly calls?: CalledWorkflow;
}

/** `<repository>/.github/workflows/<file>@main`, with the content of the file. */
interface CalledWorkflow {
  readonly repository: string;
  readonly file: string;
  readonly content: string;
}

export interface Repository {
  /** Runs a workflow on the only commit of main. One run at a time: the issuer has one set of claims. */
  run(file: string, options?: RunOptions): Promise<WorkflowRun>;
}

/** GitHub with act as the runner of its workflows, and with the issuer of tokens beside it. */
export interface GitHub {
  createRepository(name: string, files: Files): Promise<Repository>;
  close(): Promise<void>;
}

/** A workflow of `examples/workflows/` as a user copies it. */
export async function exampleWorkflow(path: string): Promise<string> {
  return filledIn(await readFile(join(ROOT, 'examples/workflows', path), 'utf8'), GITLESS, 'v1');
}

export async function startGitHub(state: ServerState, { issuer }: Pick<Services, 'issuer'>): Promise<GitHub> {
  const gitless = join(state.folder, 'gitless');
  await copyActions(gitless);
  const workspaces: Workspace[] = [];
  let runs = 0;
  const tokenEnvironment = {
    ACTIONS_ID_TOKEN_REQUEST_URL: issuer.tokenRequestUrl,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
  };

  /** Folders in place of every repository that the workflow uses, so that nothing is contacted. */
  function standIns(workflow: string): Record<string, string> {
    const used = [...workflow.matchAll(/^ *(?:- )?uses: ([\w.-]+\/([\w.-]+))\S*@(\S+)/gm)];
    return Object.fromEntries(
      used.flatMap(([, repository = '', name = '', ref = '']) => {
        if (repository === 'actions/checkout') {
          return []; // act's own
        }
        return [[`${repository}@${ref}`, repository === GITLESS ? gitless : join(STAND_INS, name)]];
      }),
    );
  }

  async function holdCalled({ repository, file, content }: CalledWorkflow): Promise<Record<string, string>> {
    const workspace = await createWorkspace({ [`.github/workflows/${file}`]: forAct(content, tokenEnvironment) });
    workspaces.push(workspace);
    return { ...standIns(content), [`${repository}@main`]: workspace.dir };
  }

  return {
    async createRepository(name, files) {
      const held = Object.entries(files).map(([path, text]) => [
        path,
        path.startsWith('.github/workflows/') ? forAct(text, tokenEnvironment) : text,
      ]);
      const workspace = await createWorkspace(Object.fromEntries(held));
      workspaces.push(workspace);
      await output('git', ['remote', 'add', 'origin', `https://github.com/${name}.git`], {
        cwd: workspace.dir,
        env: plainEnvironment(state.folder),
      });
      return {
        async run(file, { event = 'push', payload = {}, attempt = 1, tokenForAll = false, calls } = {}) {
          runs += attempt === 1 ? 1 : 0;
          const workflow = files[`.github/workflows/${file}`] ?? '';
          const workflowRef = `${name}/.github/workflows/${file}@${MAIN}`;
          const runId = `${8_000_000_000 + runs}`;
          const artifacts = join(state.folder, 'artifacts', runId);
          await mkdir(artifacts, { recursive: true });
          issuer.claims = {
            repository: name,
            sha: workspace.sha,
            ref: MAIN,
            event_name: event,
            workflow_ref: workflowRef,
            run_id: runId,
            run_attempt: `${attempt}`,
            job_workflow_ref: calls ? `${calls.repository}/.github/workflows/${calls.file}@${MAIN}` : workflowRef,
            environment: tokenJobs(workflow)[0]?.environment,
          };
          return runAct(state, {
            directory: workspace.dir,
            workflow: file,
            event,
            payload: { repository: { default_branch: 'main', full_name: name, visibility: 'private' }, ...payload },
            env: {
              GITHUB_RUN_ID: runId,
              GITHUB_RUN_ATTEMPT: `${attempt}`,
              GITHUB_WORKFLOW_REF: workflowRef,
              GITHUB_REPOSITORY_ID: '814729135',
              GITHUB_REPOSITORY_OWNER_ID: '9919',
              RUNNER_ENVIRONMENT: 'github-hosted',
              ARTIFACTS: artifacts,
              ...(tokenForAll ? tokenEnvironment : {}),
            },
            repositories: calls ? await holdCalled(calls) : standIns(workflow),
          });
        },
      };
    },
    async close() {
      await Promise.all(workspaces.map((workspace) => workspace.cleanup()));
    },
  };
}

/** What a runner needs of this repository: the actions and what they run. */
async function copyActions(folder: string): Promise<void> {
  await cp(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  for (const action of ACTIONS) {
    await mkdir(join(folder, 'actions', action), { recursive: true });
    await cp(join(ROOT, 'actions', action, 'action.yml'), join(folder, 'actions', action, 'action.yml'));
  }
}
