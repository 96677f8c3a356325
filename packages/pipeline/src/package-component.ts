import { join } from 'node:path';
import { artifactAnnotations, type Blob, fluxManifest, packContent, type TreeFile } from '@gitless/artifact';
import {
  type Build,
  canonicalJson,
  type Digest,
  PREDICATE,
  type PredicateType,
  parseJsonWith,
  type Statement,
  sha256,
  statementAbout,
} from '@gitless/core';
import {
  cyclonedxSbom,
  findImages,
  type ManifestObject,
  type PassedCheck,
  provenancePredicate,
  type SbomObject,
  type Tool,
  testResultPredicate,
} from '@gitless/evidence';
import { type Descriptor, initLayout, writeBlob, writeLayoutIndex } from '@gitless/oci';
import * as v from 'valibot';
import { artifactEntry, STATEMENT_FILES } from './layout-store.ts';
import { replaceDirectory, type WorkDir, writeFileAtomic } from './work-dir.ts';

/** A Kubernetes object found in the tree, with the file that holds it, relative to the component. */
export interface PackedObject extends SbomObject, ManifestObject {}

export interface PackageInput {
  readonly build: Build;
  readonly component: string;
  readonly files: readonly TreeFile[];
  readonly objects: readonly PackedObject[];
  readonly checks: readonly PassedCheck[];
  readonly environments: readonly string[];
  /** First directory inside the archive; `''` binds the artifact to no component. */
  readonly pathPrefix: string;
  /** Committer date in UTC. */
  readonly created: string;
  readonly source?: string;
  readonly revision?: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly tools: readonly Tool[];
  readonly path?: string;
  readonly engine?: string;
  readonly renderReport?: Digest;
  readonly flags: Readonly<Record<string, string | boolean>>;
}

export interface PackagedComponent {
  readonly component: string;
  readonly pathPrefix: string;
  readonly manifest: Blob;
  readonly blobs: readonly Blob[];
  readonly contentDigest: Digest;
  readonly statements: ReadonlyMap<PredicateType, Statement>;
}

/** Makes the Flux artifact of one component and the statements to sign about it. Pure: equal input, equal bytes (invariant 2). */
export function packageComponent(input: PackageInput): PackagedComponent {
  const { build, component, pathPrefix } = input;
  const { layer, contentDigest } = packContent(input.files, pathPrefix);
  const inArtifact = (path: string) => (pathPrefix === '' ? path : `${pathPrefix}/${path}`);
  const sbom = cyclonedxSbom({
    build,
    component,
    contentDigest,
    created: input.created,
    files: input.files.map((file) => ({
      path: inArtifact(file.path),
      digest: sha256(file.content),
      objects: input.objects.filter((object) => object.file === file.path),
    })),
    images: findImages(input.objects.map(({ file, value }) => ({ file: inArtifact(file), value }))),
    tools: input.tools,
  });
  const { manifest, config, sbomLayer } = fluxManifest({
    layer,
    sbom,
    annotations: artifactAnnotations(build, {
      component,
      environments: input.environments,
      contentDigest,
      created: input.created,
      extra: input.annotations,
      ...(input.source === undefined ? {} : { source: input.source }),
      ...(input.revision === undefined ? {} : { revision: input.revision }),
    }),
  });
  const digest = manifest.descriptor.digest;
  const statements = new Map<PredicateType, Statement>([
    [PREDICATE.provenance, statementAbout(digest, PREDICATE.provenance, provenance(input, sha256(sbom)), component)],
    [PREDICATE.sbom, statementAbout(digest, PREDICATE.sbom, parseSbom(sbom), component)],
  ]);
  if (input.checks.length > 0) {
    statements.set(
      PREDICATE.checks,
      statementAbout(digest, PREDICATE.checks, { ...testResultPredicate({ checks: input.checks }) }, component),
    );
  }
  return { component, pathPrefix, manifest, blobs: [config, layer, sbomLayer], contentDigest, statements };
}

function provenance(input: PackageInput, sbom: Digest): Record<string, unknown> {
  return provenancePredicate({
    build: input.build,
    component: input.component,
    environments: input.environments,
    annotations: input.annotations,
    flags: input.flags,
    tools: input.tools,
    sbom,
    ...(input.path === undefined ? {} : { path: input.path }),
    ...(input.engine === undefined ? {} : { engine: input.engine }),
    ...(input.renderReport === undefined ? {} : { renderReport: input.renderReport }),
  });
}

function parseSbom(json: Uint8Array): Record<string, unknown> {
  return parseJsonWith(v.record(v.string(), v.unknown()), json, {
    code: 'INTERNAL',
    where: 'the SBOM',
    fix: 'this is a defect of gitless: please report it',
  });
}

/** Replaces layout and statements as a whole: one image layout for all components of this run. */
export async function writePackages(dir: WorkDir, packages: readonly PackagedComponent[]): Promise<void> {
  await replaceDirectory(dir.layout, async (layout) => {
    await initLayout(layout);
    const entries: Descriptor[] = [];
    for (const { component, manifest, blobs } of packages) {
      for (const blob of [...blobs, manifest]) {
        await writeBlob(layout, blob.bytes);
      }
      entries.push(artifactEntry(component, manifest.descriptor));
    }
    await writeLayoutIndex(layout, entries);
  });
  await replaceDirectory(dir.statements, async (root) => {
    for (const { component, statements } of packages) {
      for (const [predicateType, statement] of statements) {
        const file = STATEMENT_FILES[predicateType];
        if (file !== undefined) {
          await writeFileAtomic(join(root, component, file), canonicalJson(statement));
        }
      }
    }
  });
}
