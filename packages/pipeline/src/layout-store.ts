import { ANNOTATION } from '@gitless/artifact';
import { type Digest, isDigest, PREDICATE, type PredicateType, UserError } from '@gitless/core';
import {
  type Descriptor,
  descriptorOf,
  EMPTY_CONFIG,
  initLayout,
  MEDIA_TYPE,
  parseManifest,
  readBlob,
  readLayoutIndex,
  referrerManifest,
  writeBlob,
  writeLayoutIndex,
} from '@gitless/oci';
import { RUN_AGAIN } from './handover.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';
const PREDICATE_TYPE = 'dev.sigstore.bundle.predicateType';

/** An artifact of the layout with the bundles that refer to it. */
export interface StoredArtifact {
  readonly component: string;
  readonly manifest: Descriptor;
  readonly bundles: readonly StoredBundle[];
}

interface StoredBundle {
  readonly predicateType: string;
  /** As `index.json` lists it. */
  readonly entry: Descriptor;
  /** The referrer's manifest, with artifact type and annotations, as a registry lists it. */
  readonly manifest: Descriptor;
  /** The Sigstore bundle inside. */
  readonly bundle: Uint8Array;
}

/** The descriptor under which an artifact stands in `index.json`. */
export function artifactEntry(component: string, manifest: Descriptor): Descriptor {
  return { ...manifest, annotations: { [REF_NAME]: component, [ANNOTATION.component]: component } };
}

/** Finds a component's artifact and its bundles, each checked against its digest. Throws `LAYOUT_ARTIFACT_MISSING`. */
export async function findArtifact(
  layout: string,
  component: string,
  digest: string | undefined,
): Promise<StoredArtifact> {
  const index = await readLayoutIndex(layout);
  const manifest = index.find(
    (entry) => entry.artifactType === undefined && entry.annotations?.[ANNOTATION.component] === component,
  );
  if (manifest === undefined || (digest !== undefined && manifest.digest !== digest)) {
    throw new UserError({
      code: 'LAYOUT_ARTIFACT_MISSING',
      what: `the layout does not hold ${component}${digest === undefined ? '' : ` with digest ${digest}`}`,
      details: index.flatMap((entry) => {
        const name = entry.artifactType === undefined ? entry.annotations?.[ANNOTATION.component] : undefined;
        return name === undefined ? [] : [`holds ${name} ${entry.digest}`];
      }),
      fix: 'run package again, and give the steps after it the same work-dir or layout',
    });
  }
  const bundles: StoredBundle[] = [];
  // By the component first: a layout of two hundred components holds a thousand bundles.
  for (const entry of index.filter(
    ({ artifactType, annotations }) =>
      artifactType === MEDIA_TYPE.sigstoreBundle && annotations?.[ANNOTATION.component] === component,
  )) {
    const bytes = await readBlob(layout, entry);
    const { subject, layers } = parseManifest(bytes, `manifest ${entry.digest} of the layout`);
    const [layer] = layers;
    if (subject?.digest === manifest.digest && layer !== undefined) {
      const predicateType = entry.annotations?.[PREDICATE_TYPE] ?? '';
      bundles.push({ predicateType, entry, manifest: withoutIndexKeys(entry), bundle: await readBlob(layout, layer) });
    }
  }
  const { annotations: _, ...plain } = manifest;
  return { component, manifest: plain, bundles };
}

/** Adds artifacts or bundles to the layout's index, whose blobs are written already. One entry per digest. */
export async function addEntries(layout: string, entries: readonly Descriptor[]): Promise<void> {
  await initLayout(layout);
  const index = await readLayoutIndex(layout);
  const added = new Set(entries.map((entry) => entry.digest));
  await writeLayoutIndex(layout, [...index.filter((entry) => !added.has(entry.digest)), ...entries]);
}

/** Writes a bundle's blobs into the layout and returns its entry for {@link addEntries}. */
export async function writeBundle(
  layout: string,
  artifact: { readonly component: string; readonly manifest: Descriptor },
  bundle: { readonly bytes: Uint8Array; readonly predicateType: string; readonly signedAt: Date },
): Promise<Descriptor> {
  const { blobs, descriptor } = bundleReferrer(artifact.manifest, bundle);
  for (const blob of blobs) {
    await writeBlob(layout, blob);
  }
  return {
    ...descriptor,
    annotations: {
      ...descriptor.annotations,
      [REF_NAME]: artifact.component,
      [ANNOTATION.component]: artifact.component,
    },
  };
}

/** A bundle as referrer, in cosign's form (reference: cosign v3 `pkg/oci/remote/write.go`, WriteReferrer). The time is the signature's own, not the clock's. */
export function bundleReferrer(
  subject: Descriptor,
  bundle: { readonly bytes: Uint8Array; readonly predicateType: string; readonly signedAt: Date },
): { readonly blobs: readonly Uint8Array[]; readonly manifest: Uint8Array; readonly descriptor: Descriptor } {
  const layer = descriptorOf(MEDIA_TYPE.sigstoreBundle, bundle.bytes);
  const { bytes, descriptor } = referrerManifest({
    subject,
    artifactType: MEDIA_TYPE.sigstoreBundle,
    layer,
    annotations: {
      'org.opencontainers.image.created': bundle.signedAt.toISOString().replace(/\.\d{3}Z$/, 'Z'),
      'dev.sigstore.bundle.content': 'dsse-envelope',
      [PREDICATE_TYPE]: bundle.predicateType,
    },
  });
  return { blobs: [bundle.bytes, EMPTY_CONFIG.bytes, bytes], manifest: bytes, descriptor };
}

/** The file name of a statement in `statements/<component>/`. */
export const STATEMENT_FILES: Readonly<Partial<Record<PredicateType, string>>> = {
  [PREDICATE.provenance]: 'provenance.json',
  [PREDICATE.sbom]: 'sbom-cyclonedx.json',
  [PREDICATE.checks]: 'checks.json',
};

export function asDigest(value: string | undefined): Digest {
  if (value === undefined || !isDigest(value)) {
    throw new UserError({
      code: 'BAD_RESULT',
      what: `a result names ${JSON.stringify(value) ?? 'nothing'} where a digest is due`,
      fix: RUN_AGAIN,
    });
  }
  return value;
}

/** The keys that only `index.json` has. */
function withoutIndexKeys(entry: Descriptor): Descriptor {
  const { [REF_NAME]: _name, [ANNOTATION.component]: _component, ...annotations } = entry.annotations ?? {};
  return { ...entry, annotations };
}
