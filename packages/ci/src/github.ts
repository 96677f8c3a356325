import { readFileSync } from 'node:fs';
import { type Build, BuildSchema, errorMessage, parseJsonWith, parseWith, UserError } from '@gitless/core';
import * as v from 'valibot';

type Env = Readonly<Record<string, string | undefined>>;

/** What the suite reads of a webhook payload (docs.github.com "Webhook events and payloads"); everything else is left alone. */
const EventSchema = v.object({
  repository: v.exactOptional(
    v.object({ default_branch: v.exactOptional(v.string()), visibility: v.exactOptional(v.string()) }),
  ),
  pull_request: v.exactOptional(
    v.object({
      head: v.object({ repo: v.nullable(v.object({ full_name: v.string(), fork: v.exactOptional(v.boolean()) })) }),
    }),
  ),
});

export type Event = v.InferOutput<typeof EventSchema>;

/** The run as GitHub's default variables describe it (docs.github.com "Variables reference"). Throws `NOT_GITHUB` outside a job. */
export function readBuild(env: Env): Build {
  if (env['GITHUB_ACTIONS'] !== 'true') {
    throw new UserError({
      code: 'NOT_GITHUB',
      what: 'this does not run in a GitHub Actions job',
      why: 'GITHUB_ACTIONS is not "true"',
      fix: 'use it as a step of a GitHub Actions job',
    });
  }
  const build = {
    serverUrl: env['GITHUB_SERVER_URL'],
    repository: env['GITHUB_REPOSITORY'],
    repositoryId: env['GITHUB_REPOSITORY_ID'],
    repositoryOwnerId: env['GITHUB_REPOSITORY_OWNER_ID'],
    ref: env['GITHUB_REF'],
    sha: env['GITHUB_SHA'],
    workflow: env['GITHUB_WORKFLOW'],
    workflowRef: env['GITHUB_WORKFLOW_REF'],
    eventName: env['GITHUB_EVENT_NAME'],
    runId: env['GITHUB_RUN_ID'],
    runAttempt: env['GITHUB_RUN_ATTEMPT'] ?? '1',
    actor: env['GITHUB_ACTOR'],
    runnerEnvironment: env['RUNNER_ENVIRONMENT'],
  };
  return parseWith(BuildSchema, build, {
    code: 'BAD_ENVIRONMENT',
    where: "the job's environment (GITHUB_* variables)",
    fix: 'let no step change the variables that the runner sets',
  });
}

/** The payload of the event that started the run; empty when the runner gave none. Throws `BAD_ENVIRONMENT`. */
export function readEvent(env: Env): Event {
  const path = env['GITHUB_EVENT_PATH'];
  if (path === undefined || path === '') {
    return {};
  }
  const fix = 'let no step change the variables that the runner sets, nor the files that they name';
  let payload: Uint8Array;
  try {
    payload = readFileSync(path);
  } catch (error) {
    throw new UserError({
      code: 'BAD_ENVIRONMENT',
      what: 'the event payload (GITHUB_EVENT_PATH) cannot be read',
      why: errorMessage(error),
      fix,
    });
  }
  return parseJsonWith(EventSchema, payload, {
    code: 'BAD_ENVIRONMENT',
    where: 'the event payload (GITHUB_EVENT_PATH)',
    fix,
  });
}

/** Whether the run is on the repository's default branch. GitHub starts `schedule` on the default branch only, and its payload may lack the repository. */
export function isDefaultBranch(build: Build, event: Event): boolean {
  const name = event.repository?.default_branch;
  return name === undefined ? build.eventName === 'schedule' : build.ref === `refs/heads/${name}`;
}
