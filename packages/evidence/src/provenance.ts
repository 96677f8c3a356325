import { type Build, type Digest, hexOf, isName, parseWith, runUrl, URI_BASE } from '@gitless/core';
import * as v from 'valibot';
import { type Tool, toolPurl } from './tool.ts';

/** What `externalParameters` mean: see "Build type" in this package's README. */
export const BUILD_TYPE = `${URI_BASE}build-types/package/v1`;

export interface ProvenanceInput {
  readonly build: Build;
  readonly component: string;
  /** The component's directory, relative to the workspace; absent when only the render step knows it. */
  readonly path?: string;
  /** `helm`, `kustomize`, `plain`; absent when a directory was packed as it is. */
  readonly engine?: string;
  readonly environments: readonly string[];
  /** Annotations that the user added to the manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Inputs that changed what was built, by their names; never a secret. */
  readonly flags: Readonly<Record<string, string | boolean>>;
  readonly tools: readonly Tool[];
  readonly sbom: Digest;
  /** Digest of the report that the render job wrote; absent when nothing was rendered. */
  readonly renderReport?: Digest;
}

/**
 * SLSA provenance v1 without what only the signing run knows: {@link completeProvenance} adds it
 * (slsa.dev/spec/v1.2/build-provenance, "Model" and "Parsing rules"; ResourceDescriptors as in in-toto/attestation
 * `spec/v1/resource_descriptor.md`). `internalParameters.github` has GitHub's own fields and the actor.
 */
export function provenancePredicate(input: ProvenanceInput): Record<string, unknown> {
  const { build } = input;
  return {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: {
        component: input.component,
        ...(input.path === undefined ? { rendered: true } : { path: input.path }),
        ...(input.engine === undefined ? {} : { engine: input.engine }),
        environments: input.environments,
        annotations: input.annotations,
        flags: input.flags,
        workflow: build.workflowRef,
      },
      internalParameters: {
        github: {
          actor: build.actor,
          event_name: build.eventName,
          repository_id: build.repositoryId,
          repository_owner_id: build.repositoryOwnerId,
          runner_environment: build.runnerEnvironment,
        },
      },
      resolvedDependencies: [
        { uri: `git+${build.serverUrl}/${build.repository}@${build.ref}`, digest: { gitCommit: build.sha } },
        ...input.tools.map(toolDescriptor),
      ],
    },
    runDetails: {
      byproducts: [
        { name: 'sbom', mediaType: 'application/vnd.cyclonedx+json', digest: { sha256: hexOf(input.sbom) } },
        ...(input.renderReport === undefined ? [] : [renderReport(input.renderReport)]),
      ],
    },
  };
}

function toolDescriptor(tool: Tool): object {
  return {
    name: tool.name,
    uri: toolPurl(tool),
    ...(tool.digest === undefined ? {} : { digest: { sha256: hexOf(tool.digest) } }),
    ...(tool.reportedBy === undefined ? {} : { annotations: { reportedBy: tool.reportedBy } }),
  };
}

/** The render job runs third-party code: what it says about itself is evidence of its claim only (design: invariant 10). */
function renderReport(digest: Digest): object {
  return { name: 'render-report', digest: { sha256: hexOf(digest) }, annotations: { reportedBy: 'render job' } };
}

const DraftSchema = v.looseObject({
  buildDefinition: v.looseObject({ buildType: v.literal(BUILD_TYPE) }),
  runDetails: v.looseObject({ byproducts: v.array(v.unknown()) }),
});

/**
 * Adds the builder and the attempt to an unsigned predicate: `builderId` is the server's URL and the workflow that
 * signs (on GitHub the token's `job_workflow_ref`, as GitHub's own provenance has it), which the step that packages
 * cannot know. Throws `BAD_PROVENANCE` when `predicate` is not one of {@link provenancePredicate}.
 */
export function completeProvenance(
  predicate: Readonly<Record<string, unknown>>,
  run: { readonly builderId: string; readonly build: Build },
): Record<string, unknown> {
  const draft = parseWith(DraftSchema, predicate, {
    code: 'BAD_PROVENANCE',
    where: 'the unsigned provenance',
    fix: 'run package again and let nothing else write to the work-dir',
  });
  return {
    ...draft,
    runDetails: {
      ...draft.runDetails,
      builder: { id: run.builderId },
      metadata: { invocationId: `${runUrl(run.build)}/attempts/${run.build.runAttempt}` },
    },
  };
}

/** What a verifier reads back of a signed provenance predicate; members that it does not judge are ignored. */
export const ProvenanceSchema = v.object({
  buildDefinition: v.object({
    buildType: v.literal(BUILD_TYPE),
    externalParameters: v.object({
      component: v.pipe(v.string(), v.check(isName, '!wants a component name')),
      environments: v.array(v.pipe(v.string(), v.check(isName, '!wants an environment name'))),
      flags: v.record(v.string(), v.union([v.string(), v.boolean()])),
    }),
    resolvedDependencies: v.pipe(
      v.array(
        v.object({
          name: v.exactOptional(v.string()),
          uri: v.string(),
          digest: v.exactOptional(v.record(v.string(), v.string())),
        }),
      ),
      v.minLength(1),
    ),
  }),
  runDetails: v.object({
    builder: v.object({ id: v.pipe(v.string(), v.nonEmpty()) }),
    metadata: v.object({ invocationId: v.string() }),
  }),
});

export type Provenance = v.InferOutput<typeof ProvenanceSchema>;

/** What a verified provenance predicate says of the artifact: whose it is, and where its content lies inside. */
export interface SignedContent {
  readonly component: string;
  readonly environments: readonly string[];
  /** First directory inside the archive; empty for an artifact that is not bound to its component. */
  readonly pathPrefix: string;
}

/** Throws `BAD_PROVENANCE` when the predicate is of another build type or names no component. */
export function signedContent(predicate: unknown): SignedContent {
  const provenance = parseWith(ProvenanceSchema, predicate, {
    code: 'BAD_PROVENANCE',
    where: 'the signed provenance',
    fix: 'promote artifacts that the package step of gitless built',
  });
  const { component, environments, flags } = provenance.buildDefinition.externalParameters;
  return { component, environments, pathPrefix: String(flags['path-prefix'] ?? component) };
}
