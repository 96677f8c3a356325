import * as v from 'valibot';

const text = v.pipe(v.string(), v.nonEmpty());

/**
 * Which run built something, as the run's own environment says it. Part of the input of a digest, except `runAttempt`
 * and `actor`, which live in the provenance only (design: "The artifact").
 * Field names follow GitHub's variables (docs.github.com "Variables reference") without their prefix.
 */
export const BuildSchema = v.strictObject({
  /** `https://github.com`, or the address of an Enterprise instance. */
  serverUrl: text,
  /** `owner/name`. */
  repository: text,
  repositoryId: text,
  repositoryOwnerId: text,
  /** Complete ref, `refs/heads/main`. */
  ref: text,
  /** Commit, 40 or 64 hex digits. */
  sha: v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, '!wants 40 or 64 lower-case hex digits')),
  /** The workflow's name. */
  workflow: text,
  /** `owner/name/.github/workflows/ship.yml@refs/heads/main`: of the calling workflow, never an identity. */
  workflowRef: text,
  eventName: text,
  runId: text,
  runAttempt: text,
  actor: text,
  /** `github-hosted` or `self-hosted`. */
  runnerEnvironment: text,
});

export type Build = v.InferOutput<typeof BuildSchema>;

/** The run's page, `<server>/<repository>/actions/runs/<id>`. */
export function runUrl(build: Build): string {
  return `${build.serverUrl}/${build.repository}/actions/runs/${build.runId}`;
}

/** `main@sha1:<sha>`: Flux's revision grammar (fluxcd/flux2 RFC-0005), with the short name of the ref. */
export function fluxRevision(build: Build): string {
  const name = build.ref.replace(/^refs\/(?:heads|tags)\//, '');
  return `${name}@sha${build.sha.length === 40 ? '1' : '256'}:${build.sha}`;
}
