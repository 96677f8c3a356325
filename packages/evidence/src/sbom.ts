import { ComponentType, ExternalReferenceType, HashAlgorithm } from '@cyclonedx/cyclonedx-library/Enums';
import {
  Bom,
  Component,
  ComponentRepository,
  ExternalReference,
  ExternalReferenceRepository,
  HashDictionary,
  Metadata,
  Property,
  PropertyRepository,
  Tools,
} from '@cyclonedx/cyclonedx-library/Models';
import { JSON as CycloneDxJson } from '@cyclonedx/cyclonedx-library/Serialize';
import { Spec1dot6 } from '@cyclonedx/cyclonedx-library/Spec';
import { type Build, canonicalJson, type Digest, fluxRevision, hexOf, sha256 } from '@gitless/core';
import { imageName, imagePurl } from './image-reference.ts';
import type { FoundImage } from './images.ts';
import { sortedBy } from './order.ts';
import { type Tool, toolPurl } from './tool.ts';

export interface SbomObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface SbomFile {
  /** Inside the artifact, the path prefix included. */
  readonly path: string;
  readonly digest: Digest;
  /** The Kubernetes objects in it; empty for other files. */
  readonly objects: readonly SbomObject[];
}

export interface SbomInput {
  readonly build: Build;
  readonly component: string;
  /** Of the artifact's uncompressed content. The manifest's digest cannot stand in an SBOM that the manifest holds. */
  readonly contentDigest: Digest;
  /** Committer date in UTC; the SBOM has no other time. */
  readonly created: string;
  readonly files: readonly SbomFile[];
  /** Occurrences name files by their `path`. */
  readonly images: readonly FoundImage[];
  readonly tools: readonly Tool[];
}

/** Namespace of our properties (CycloneDX property taxonomy). */
const PROPERTY = 'dev.gitless:';

/**
 * A CycloneDX 1.6 SBOM as JSON: the artifact, its files with their Kubernetes objects, the images they name with file
 * and field, and the tools (cyclonedx.org/docs/1.6/json). Equal input gives equal bytes: lists are sorted here, because
 * the library sorts by locale, and the serial number follows from the content.
 */
export function cyclonedxSbom(input: SbomInput): Uint8Array {
  const files = new Map(sortedBy(input.files, (file) => file.path).map((file) => [file.path, fileComponent(file)]));
  const images = new Map(
    sortedBy(input.images, (image) => image.reference).map((image) => [image, imageComponent(image)]),
  );
  const root = rootComponent(input);
  linkDependencies(root, files, images);
  const bom = new Bom({
    metadata: new Metadata({
      timestamp: new Date(input.created),
      tools: new Tools({ components: new ComponentRepository(sortedBy(input.tools, toolPurl).map(toolComponent)) }),
      component: root,
    }),
    components: new ComponentRepository([...files.values(), ...images.values()]),
  });
  const json = withOccurrences(new CycloneDxJson.Normalize.Factory(Spec1dot6).makeForBom().normalize(bom, {}), images);
  return new TextEncoder().encode(canonicalJson({ ...json, serialNumber: serialNumber(canonicalJson(json)) }));
}

function rootComponent({ build, component, contentDigest }: SbomInput): Component {
  // SPDX "Package download location": <vcs tool>+<transport>://<host>/<path>@<commit>.
  const source = `git+${build.serverUrl}/${build.repository}@${build.sha}`;
  return new Component(ComponentType.Application, component, {
    bomRef: `component:${component}`,
    version: fluxRevision(build),
    externalReferences: new ExternalReferenceRepository([new ExternalReference(source, ExternalReferenceType.VCS)]),
    properties: properties([['content-digest', contentDigest]]),
  });
}

/** One group of properties an object, each starting with `apiVersion`. */
function fileComponent({ path, digest, objects }: SbomFile): Component {
  return new Component(ComponentType.File, path, {
    bomRef: `file:${path}`,
    hashes: hashes(digest),
    properties: properties(
      objects.flatMap(({ apiVersion, kind, namespace, name }) => [
        ['apiVersion', apiVersion],
        ['kind', kind],
        ['namespace', namespace],
        ['name', name],
      ]),
    ),
  });
}

function imageComponent(image: FoundImage): Component {
  const { repository, tag } = imageName(image.reference);
  const version = image.digest ?? tag;
  const purl = imagePurl(image);
  return new Component(ComponentType.Container, repository, {
    bomRef: `image:${image.reference}`,
    ...(version === undefined ? {} : { version }),
    ...(purl === undefined ? {} : { purl }),
    properties: properties([
      ['reference', image.reference],
      ['pinned', String(image.pinned)],
    ]),
  });
}

/** Without the digest of the executable, which differs between CPUs: it would be part of the artifact's (invariant 2). Provenance has it. */
function toolComponent(tool: Tool): Component {
  return new Component(ComponentType.Application, tool.name, {
    bomRef: `tool:${tool.name}@${tool.version}`,
    version: tool.version,
    purl: toolPurl(tool),
    properties: properties([['reported-by', tool.reportedBy]]),
  });
}

/** The artifact holds its files; a file needs the images it names. */
function linkDependencies(
  root: Component,
  files: ReadonlyMap<string, Component>,
  images: ReadonlyMap<FoundImage, Component>,
): void {
  for (const file of files.values()) {
    root.dependencies.add(file.bomRef);
  }
  for (const [{ occurrences }, image] of images) {
    for (const { file } of occurrences) {
      files.get(file)?.dependencies.add(image.bomRef);
    }
  }
}

/** Adds where each image is named: the library's model has no `evidence.occurrences`. */
function withOccurrences(bom: CycloneDxJson.Types.Normalized.Bom, images: ReadonlyMap<FoundImage, Component>): object {
  const byRef = new Map([...images].map(([{ occurrences }, { bomRef }]) => [bomRef.value, occurrences]));
  const components = (bom.components ?? []).map((component) => {
    const occurrences = byRef.get(component['bom-ref'])?.map(({ file, path }) => ({
      location: file,
      additionalContext: path,
    }));
    return occurrences === undefined ? component : { ...component, evidence: { occurrences } };
  });
  return { ...bom, components };
}

/** A name-based UUID version 8 over SHA-256 (RFC 9562 §5.8, appendix B.2) of the SBOM's other content. */
function serialNumber(content: string): string {
  const hex = hexOf(sha256(content));
  const variant = '89ab'.charAt(Number.parseInt(hex.charAt(16), 16) % 4);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ];
  return `urn:uuid:${parts.join('-')}`;
}

function properties(values: readonly (readonly [string, string | undefined])[]): PropertyRepository {
  return new PropertyRepository(
    values.flatMap(([name, value]) => (value === undefined ? [] : [new Property(PROPERTY + name, value)])),
  );
}

function hashes(digest: Digest): HashDictionary {
  return new HashDictionary([[HashAlgorithm['SHA-256'], hexOf(digest)]]);
}
