import { ANNOTATION_PREFIX, type Build, type Digest, fluxRevision, runUrl, UserError } from '@gitless/core';

const OCI_PREFIX = 'org.opencontainers.image.';

/** Names of the annotations that the suite reads back from its artifacts. */
export const ANNOTATION = {
  created: `${OCI_PREFIX}created`,
  source: `${OCI_PREFIX}source`,
  revision: `${OCI_PREFIX}revision`,
  title: `${OCI_PREFIX}title`,
  url: `${OCI_PREFIX}url`,
  buildId: `${ANNOTATION_PREFIX}build-id`,
  workflow: `${ANNOTATION_PREFIX}workflow`,
  workflowRef: `${ANNOTATION_PREFIX}workflow-ref`,
  component: `${ANNOTATION_PREFIX}component`,
  environments: `${ANNOTATION_PREFIX}environments`,
  contentDigest: `${ANNOTATION_PREFIX}content-digest`,
} as const;

const MAX_EXTRA = 64;
const MAX_VALUE_BYTES = 4096;
/** As narrow as a Kubernetes annotation key, so that the key can be shown anywhere. */
const KEY = /^[A-Za-z][A-Za-z0-9._/-]{0,252}$/;
const CONTROL = /\p{Cc}/u;
const RFC3339_UTC_SECONDS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

export interface ArtifactDescription {
  readonly component: string;
  /** Sub-directories of the artifact, one each; empty when a directory is packed as it is. */
  readonly environments: readonly string[];
  /** Of the uncompressed content layer. */
  readonly contentDigest: Digest;
  /** Committer date in UTC, `2026-01-02T03:04:05Z`. */
  readonly created: string;
  /** Where the content comes from; unless given the repository that runs. */
  readonly source?: string;
  /** In Flux's revision grammar; unless given ref and commit of the run. */
  readonly revision?: string;
  /** Added by the user; ours cannot be overridden. */
  readonly extra: Readonly<Record<string, string>>;
}

/**
 * The annotations of an artifact's manifest (image-spec `annotations.md`, Flux RFC-0005 for the revision). The attempt
 * and the clock are left out: a second attempt of a run gives the same digest.
 *
 * Throws `BAD_CREATED`; `ANNOTATION_RESERVED` when `extra` uses one of our names or any under our prefix;
 * `ANNOTATION_REFUSED`, naming all, for keys and values that are malformed, too long or too many.
 */
export function artifactAnnotations(build: Build, artifact: ArtifactDescription): Record<string, string> {
  requireCreated(artifact.created);
  requireUnreserved(Object.keys(artifact.extra));
  const annotations: Record<string, string> = {
    [ANNOTATION.created]: artifact.created,
    [ANNOTATION.source]: artifact.source ?? `${build.serverUrl}/${build.repository}`,
    [ANNOTATION.revision]: artifact.revision ?? fluxRevision(build),
    [ANNOTATION.title]: artifact.component,
    [ANNOTATION.url]: runUrl(build),
    [ANNOTATION.buildId]: build.runId,
    [ANNOTATION.workflow]: build.workflow,
    [ANNOTATION.workflowRef]: build.workflowRef,
    [ANNOTATION.component]: artifact.component,
    [ANNOTATION.contentDigest]: artifact.contentDigest,
    ...(artifact.environments.length === 0
      ? {}
      : { [ANNOTATION.environments]: [...artifact.environments].sort().join(',') }),
    ...artifact.extra,
  };
  requireWellFormed(annotations, Object.keys(artifact.extra).length);
  return annotations;
}

function requireCreated(created: string): void {
  const time = RFC3339_UTC_SECONDS.test(created) ? Date.parse(created) : Number.NaN;
  // Date.parse lets 31 February pass as 3 March.
  if (Number.isNaN(time) || new Date(time).toISOString() !== created.replace('Z', '.000Z')) {
    throw new UserError({
      code: 'BAD_CREATED',
      what: `the creation time is ${JSON.stringify(created.slice(0, 80))}`,
      why: 'Flux parses it as RFC 3339, and equal commits must give equal bytes',
      fix: 'give the committer date in UTC with seconds, as 2026-01-02T03:04:05Z',
    });
  }
}

function requireUnreserved(keys: readonly string[]): void {
  const ours = new Set<string>(Object.values(ANNOTATION));
  const reserved = keys.filter((key) => ours.has(key) || key.startsWith(ANNOTATION_PREFIX));
  if (reserved.length > 0) {
    throw new UserError({
      code: 'ANNOTATION_RESERVED',
      what: 'annotations use names that gitless sets itself',
      why: 'readers trust these to say where the artifact comes from',
      fix: 'choose other names',
      details: reserved.map((key) => JSON.stringify(key.slice(0, 260))),
    });
  }
}

function requireWellFormed(annotations: Readonly<Record<string, string>>, extra: number): void {
  const problems = Object.entries(annotations).flatMap(([key, value]) => {
    const problem = annotationProblem(key, value);
    return problem === undefined ? [] : [`${JSON.stringify(key.slice(0, 260))} ${problem}`];
  });
  if (extra > MAX_EXTRA) {
    problems.push(`there are ${extra}, at most ${MAX_EXTRA} are taken`);
  }
  if (problems.length > 0) {
    throw new UserError({
      code: 'ANNOTATION_REFUSED',
      what: 'annotations cannot be written',
      why: 'they are part of the signed manifest and are shown on the cluster',
      fix: 'shorten or correct what is listed',
      details: problems,
    });
  }
}

function annotationProblem(key: string, value: string): string | undefined {
  if (!KEY.test(key)) {
    return 'is not a key: up to 253 letters, digits, ".", "_", "/" and "-", first a letter';
  }
  if (CONTROL.test(value) || !value.isWellFormed()) {
    return 'has a value with control characters';
  }
  return Buffer.byteLength(value) > MAX_VALUE_BYTES ? `has a value longer than ${MAX_VALUE_BYTES} bytes` : undefined;
}
