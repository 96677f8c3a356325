import { Agent, request } from 'node:https';
import * as v from 'valibot';

/** How to reach an API server. */
export interface KubernetesAccess {
  /** `https://127.0.0.1:<port>`. */
  readonly url: string;
  /** PEM of what signed its certificate. */
  readonly ca: string;
  readonly token: string;
}

/** What names one object. `namespace` is absent for those without one. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

const ConditionSchema = v.object({
  type: v.string(),
  status: v.string(),
  reason: v.optional(v.string(), ''),
  message: v.optional(v.string(), ''),
  observedGeneration: v.optional(v.number()),
});

const ObjectSchema = v.looseObject({
  apiVersion: v.string(),
  kind: v.string(),
  metadata: v.looseObject({
    name: v.string(),
    namespace: v.exactOptional(v.string()),
    generation: v.exactOptional(v.number()),
    annotations: v.exactOptional(v.record(v.string(), v.string())),
  }),
  spec: v.exactOptional(v.record(v.string(), v.unknown())),
  data: v.exactOptional(v.record(v.string(), v.unknown())),
  status: v.exactOptional(
    v.looseObject({
      conditions: v.nullish(v.array(ConditionSchema), []),
      observedGeneration: v.exactOptional(v.number()),
      lastHandledReconcileAt: v.exactOptional(v.string()),
      lastAppliedRevision: v.exactOptional(v.string()),
      artifact: v.exactOptional(
        v.looseObject({ revision: v.string(), metadata: v.optional(v.record(v.string(), v.string()), {}) }),
      ),
    }),
  ),
});

/** Any object, with the members of a status that Flux and its kin share. */
export type KubernetesObject = v.InferOutput<typeof ObjectSchema>;
/** An object as it is sent. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

const ResourceListSchema = v.object({
  resources: v.array(v.object({ name: v.string(), kind: v.string(), namespaced: v.boolean() })),
});
const ListSchema = v.object({ items: v.array(v.looseObject({ metadata: v.looseObject({ name: v.string() }) })) });
const ReviewSchema = v.object({ status: v.exactOptional(v.record(v.string(), v.unknown())) });
const StatusSchema = v.object({ message: v.optional(v.string(), ''), reason: v.optional(v.string(), '') });

/** The API server refused a request. */
export class KubernetesError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface KubernetesClient {
  /** Server-side apply; `dryRun` only asks whether it would be admitted. Throws {@link KubernetesError}. */
  apply(manifest: Manifest, options?: { readonly dryRun?: boolean }): Promise<KubernetesObject>;
  /** Posts an object without a name, such as a review, and gives back what the API server answers. */
  create(review: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly spec: Readonly<Record<string, unknown>>;
  }): Promise<{ readonly status?: Readonly<Record<string, unknown>> }>;
  get(reference: ObjectReference): Promise<KubernetesObject | undefined>;
  list(apiVersion: string, kind: string, namespace?: string): Promise<KubernetesObject[]>;
  /** JSON merge patch (RFC 7396), of the object or of its subresource `status`. */
  merge(reference: ObjectReference, patch: Readonly<Record<string, unknown>>, subresource?: 'status'): Promise<void>;
  remove(reference: ObjectReference): Promise<void>;
  /** Status of a GET, for readiness; rejects as long as nothing answers. */
  probe(path: string): Promise<number>;
  close(): void;
}

const RETRIES = 50;
const RETRY_AFTER_MS = 100;

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A client for the Kubernetes API (kubernetes.io/docs/reference/using-api) with a bearer token, without kubectl. */
export function kubernetesClient({ url, ca, token }: KubernetesAccess): KubernetesClient {
  const agent = new Agent({ keepAlive: true, ca });
  const resources = new Map<string, { name: string; namespaced: boolean }>();

  async function send(method: string, path: string, body?: unknown, type = 'application/json'): Promise<Answer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, url),
        { method, agent, headers: { authorization: `Bearer ${token}`, 'content-type': type } },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.once('error', reject);
          response.once('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
        },
      );
      sent.once('error', reject);
      sent.end(payload);
    });
  }

  async function demand(method: string, path: string, body?: unknown, type?: string): Promise<unknown> {
    let answer = await send(method, path, body, type);
    // A kind that was defined a moment ago: "storage is (re)initializing".
    for (let attempt = 0; answer.status === 429 && attempt < RETRIES; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
      answer = await send(method, path, body, type);
    }
    const data: unknown = answer.body.startsWith('{') ? JSON.parse(answer.body) : {};
    if (answer.status >= 300) {
      const { message, reason } = v.parse(StatusSchema, data);
      throw new KubernetesError(answer.status, `${method} ${path}: ${answer.status} ${reason} ${message}`);
    }
    return data;
  }

  /** Path of a kind's collection: names and scopes come from discovery, because CRDs add to them. */
  async function collection(apiVersion: string, kind: string, namespace: string | undefined): Promise<string> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    if (!resources.has(`${root} ${kind}`)) {
      const found = v.parse(ResourceListSchema, await demand('GET', root));
      for (const resource of found.resources.filter(({ name }) => !name.includes('/'))) {
        resources.set(`${root} ${resource.kind}`, resource);
      }
    }
    const resource = resources.get(`${root} ${kind}`);
    if (resource === undefined) {
      throw new KubernetesError(404, `the API server does not know ${kind} of ${apiVersion}`);
    }
    const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
    return `${root}${scope}/${resource.name}`;
  }

  async function pathOf({ apiVersion, kind, name, namespace }: ObjectReference): Promise<string> {
    return `${await collection(apiVersion, kind, namespace)}/${name}`;
  }

  return {
    async apply(manifest, { dryRun = false } = {}) {
      const path = await pathOf(referenceTo(manifest));
      const query = `?fieldManager=gitless-peers&force=true${dryRun ? '&dryRun=All' : ''}`;
      return v.parse(ObjectSchema, await demand('PATCH', `${path}${query}`, manifest, 'application/apply-patch+yaml'));
    },
    async create(review) {
      const path = await collection(review.apiVersion, review.kind, undefined);
      return v.parse(ReviewSchema, await demand('POST', path, review));
    },
    async get(reference) {
      try {
        return v.parse(ObjectSchema, await demand('GET', await pathOf(reference)));
      } catch (error) {
        if (error instanceof KubernetesError && error.status === 404) {
          return undefined;
        }
        throw error;
      }
    },
    async list(apiVersion, kind, namespace) {
      const { items } = v.parse(ListSchema, await demand('GET', await collection(apiVersion, kind, namespace)));
      return items.map((item) => v.parse(ObjectSchema, { apiVersion, kind, ...item }));
    },
    async merge(reference, patch, subresource) {
      const path = `${await pathOf(reference)}${subresource === undefined ? '' : `/${subresource}`}`;
      await demand('PATCH', path, patch, 'application/merge-patch+json');
    },
    async remove(reference) {
      await demand('DELETE', await pathOf(reference));
    },
    probe: async (path) => (await send('GET', path)).status,
    close: () => agent.destroy(),
  };
}

export function referenceTo({ apiVersion, kind, metadata: { name, namespace } }: Manifest): ObjectReference {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** `True Succeeded: message`, or an empty string when there is no such condition. */
export function conditionOf(object: KubernetesObject | undefined, type: string): string {
  const condition = object?.status?.conditions.find((candidate) => candidate.type === type);
  return condition === undefined ? '' : `${condition.status} ${condition.reason}: ${condition.message}`;
}
