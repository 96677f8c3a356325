import * as v from 'valibot';

const DescriptorSchema = v.object({ mediaType: v.string(), digest: v.string(), size: v.number() });
const ManifestSchema = v.looseObject({
  mediaType: v.string(),
  config: DescriptorSchema,
  layers: v.array(DescriptorSchema),
  annotations: v.optional(v.record(v.string(), v.string()), {}),
});

const ACCEPT = 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json';

/** One repository of a registry by plain requests (distribution-spec 1.1), so that no client of ours is asked. */
export interface RegistryRepository {
  manifest(reference: string): Promise<v.InferOutput<typeof ManifestSchema>>;
  /** The digest that a tag points to; `undefined` when there is no such tag. */
  digest(tag: string): Promise<string | undefined>;
  blob(digest: string): Promise<Buffer>;
  /** Points a tag to a manifest that is there already, as anybody can who may write to the registry. */
  moveTag(tag: string, reference: string): Promise<void>;
  /** Points a tag to a manifest that differs from another one in a single annotation, so that nobody signed it. */
  pushUnsigned(tag: string, like: string): Promise<void>;
}

export function registryRepository(registry: string, name: string): RegistryRepository {
  const url = (path: string) => `http://${registry}/v2/${name}/${path}`;
  async function demand(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(url(path), init);
    if (!response.ok) {
      throw new Error(`${init.method ?? 'GET'} ${url(path)}: ${response.status} ${await response.text()}`);
    }
    return response;
  }
  const put = (tag: string, type: string, body: string | ArrayBuffer) =>
    demand(`manifests/${tag}`, { method: 'PUT', headers: { 'content-type': type }, body });
  const read = (reference: string) => demand(`manifests/${reference}`, { headers: { accept: ACCEPT } });
  return {
    manifest: async (reference) => v.parse(ManifestSchema, await (await read(reference)).json()),
    async digest(tag) {
      const response = await fetch(url(`manifests/${tag}`), { method: 'HEAD', headers: { accept: ACCEPT } });
      return response.ok ? (response.headers.get('docker-content-digest') ?? undefined) : undefined;
    },
    blob: async (digest) => Buffer.from(await (await demand(`blobs/${digest}`)).arrayBuffer()),
    async moveTag(tag, reference) {
      const found = await read(reference);
      await put(tag, found.headers.get('content-type') ?? '', await found.arrayBuffer());
    },
    async pushUnsigned(tag, like) {
      const manifest = v.parse(ManifestSchema, await (await read(like)).json());
      const annotations = { ...manifest.annotations, 'example.test/changed': 'true' };
      await put(tag, manifest.mediaType, JSON.stringify({ ...manifest, annotations }));
    },
  };
}
