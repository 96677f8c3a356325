import type { Json } from '@gitless/core';
import type { GithubEnvironment } from './environment.ts';

export type JsonObject = { readonly [key: string]: Json };

/** The payload behind `GITHUB_EVENT_PATH` (docs.github.com "Webhook events and payloads", `push`), objects in `overrides` merged into it. */
export function eventPayload(environment: GithubEnvironment, overrides: JsonObject): JsonObject {
  const { GITHUB_REPOSITORY, GITHUB_REPOSITORY_OWNER, GITHUB_SERVER_URL, GITHUB_ACTOR, GITHUB_SHA } = environment;
  const payload: JsonObject = {
    ref: environment.GITHUB_REF,
    before: '0'.repeat(GITHUB_SHA.length),
    after: GITHUB_SHA,
    forced: false,
    repository: {
      id: Number(environment.GITHUB_REPOSITORY_ID),
      name: GITHUB_REPOSITORY.split('/')[1] ?? '',
      full_name: GITHUB_REPOSITORY,
      private: true,
      visibility: 'private',
      fork: false,
      default_branch: 'main',
      html_url: `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`,
      owner: {
        login: GITHUB_REPOSITORY_OWNER,
        id: Number(environment.GITHUB_REPOSITORY_OWNER_ID),
        type: 'Organization',
      },
    },
    sender: { login: GITHUB_ACTOR, id: Number(environment.GITHUB_ACTOR_ID), type: 'User' },
    head_commit: { id: GITHUB_SHA, timestamp: '2026-01-02T03:04:05Z' },
  };
  return merge(payload, overrides);
}

function merge(base: JsonObject, overrides: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...base };
  for (const [key, value] of Object.entries(overrides)) {
    const former = merged[key];
    merged[key] = isObject(former) && isObject(value) ? merge(former, value) : value;
  }
  return merged;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
