import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import * as v from 'valibot';
import { toolFile, toolFolder } from '../build-tools.ts';
import { sourceDirectory } from '../go.ts';
import type { KubernetesClient, KubernetesObject, ObjectReference } from '../kubernetes-client.ts';
import { installCustomResources, startKubernetes } from './kubernetes.ts';
import {
  answers,
  createState,
  freePorts,
  type ServerProcess,
  type ServerState,
  startProcess,
  type TestSuite,
} from './process.ts';
import { startRollouts } from './rollouts.ts';
import { waitFor } from './wait-for.ts';

const HOST = '127.0.0.1';
const NAMESPACE = 'flux-system';

/** Folder of `tools/` → module; each brings its CustomResourceDefinitions. */
const CONTROLLERS = {
  'source-controller': 'github.com/fluxcd/source-controller',
  'kustomize-controller': 'github.com/fluxcd/kustomize-controller',
  'flux-operator': 'github.com/controlplaneio-fluxcd/flux-operator',
} as const;

const EventSchema = v.object({
  involvedObject: v.object({ kind: v.string(), namespace: v.optional(v.string(), ''), name: v.string() }),
  severity: v.string(),
  reason: v.string(),
  message: v.string(),
  metadata: v.optional(v.record(v.string(), v.string()), {}),
});

/** As Flux sends it to notification-controller. */
type FluxEvent = v.InferOutput<typeof EventSchema>;

/** A cluster that knows a registry and nothing else: a Kubernetes API with Flux's own controllers as plain processes. */
export interface FluxCluster {
  readonly client: KubernetesClient;
  /** What the controllers reported so far. */
  readonly events: readonly FluxEvent[];
  /** Deployments (`namespace/name`) that are not told to be rolled out. */
  readonly heldBack: Set<string>;
  /** Asks a controller to reconcile, and waits until it did: in vain or not. */
  reconcile(reference: ObjectReference): Promise<KubernetesObject>;
  stop(suite: TestSuite): Promise<void>;
}

export async function startFlux(name: string): Promise<FluxCluster> {
  const state = await createState(name);
  const kubernetes = await startKubernetes(state);
  const { client } = kubernetes;
  const started: ServerProcess[] = [];
  const receiver = await startReceiver();
  const heldBack = new Set<string>();
  const rollouts = startRollouts(client, heldBack);
  const stop = async (suite: TestSuite) => {
    await rollouts.stop();
    await Promise.all(started.map((server) => server.stop()));
    await kubernetes.stop();
    await receiver.close();
    await state.close(suite);
  };
  try {
    await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
    await installCustomResources(client, await customResourceFolders());
    started.push(...(await startControllers(state, kubernetes.kubeconfig, receiver.url)));
  } catch (error) {
    await stop({ tasks: [{ result: { state: 'fail' } }] });
    throw error;
  }
  return {
    client,
    events: receiver.events,
    heldBack,
    stop,
    async reconcile(reference) {
      const requestedAt = randomUUID();
      await client.merge(reference, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': requestedAt } } });
      return waitFor(`${reference.kind} ${reference.name} handled the request`, async () => {
        const object = await client.get(reference);
        return object?.status?.lastHandledReconcileAt === requestedAt && isSettled(object) ? object : undefined;
      });
    },
  };
}

/**
 * A controller sees a new object twice: the first time it only adds its finalizer. The second time the conditions are written before the
 * rest of the status (fluxcd/pkg `runtime/patch`, Helper.Patch), and a success is complete once the generation counts as observed.
 */
function isSettled({ apiVersion, metadata, status }: KubernetesObject): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  // flux-operator writes its status at once and without this member.
  const complete = !apiVersion.includes('.toolkit.fluxcd.io/') || status?.observedGeneration === metadata.generation;
  return ready === 'False' || (ready === 'True' && complete);
}

/** The definitions lie in the modules that the controllers are built from. */
export function customResourceFolders(): Promise<string[]> {
  return Promise.all(
    Object.entries(CONTROLLERS).map(async ([folder, module]) =>
      join(await sourceDirectory(module, toolFolder(folder)), 'config/crd/bases'),
    ),
  );
}

async function startControllers(state: ServerState, kubeconfig: string, eventsUrl: string): Promise<ServerProcess[]> {
  const [storagePort, sourceHealth, kustomizeHealth, operatorHealth] = await freePorts(4);
  const storage = `${HOST}:${storagePort}`;
  const artifacts = join(state.folder, 'artifacts');
  await mkdir(artifacts);
  const flags = (healthPort: number | undefined) => [
    '--metrics-addr=0',
    `--health-addr=${HOST}:${healthPort}`,
    '--log-level=debug',
    '--log-encoding=json',
    '--interval-jitter-percentage=0',
  ];
  const retries = ['--min-retry-delay=500ms', '--max-retry-delay=5s', `--events-addr=${eventsUrl}`];
  const start = async (
    name: string,
    program: string,
    healthPort: number | undefined,
    args: readonly string[],
    env: Record<string, string> = {},
  ) => {
    // Of its own: kustomize-controller removes what looks like its leftovers when it starts.
    const temporary = join(state.folder, `tmp-${name}`);
    await mkdir(temporary);
    const server = startProcess(state, {
      name,
      file: await toolFile(program, name),
      args: [...flags(healthPort), ...args],
      env: { ...controllerEnvironment(state, kubeconfig), TMPDIR: temporary, ...env },
    });
    return { server, url: `http://${HOST}:${healthPort}/readyz` };
  };
  const servers = await Promise.all([
    start('source-controller', 'source-controller', sourceHealth, [
      ...retries,
      `--storage-path=${artifacts}`,
      `--storage-addr=${storage}`,
      `--storage-adv-addr=${storage}`,
    ]),
    start('kustomize-controller', 'kustomize-controller', kustomizeHealth, [...retries, '--requeue-dependency=1s']),
    start(
      'flux-operator',
      'operator',
      operatorHealth,
      [
        '--enable-leader-election=false',
        '--web-server-port=0',
        `--storage-path=${join(await sourceDirectory(CONTROLLERS['flux-operator'], toolFolder('flux-operator')), 'config/data')}`,
        '--requeue-dependency=1s',
      ],
      // Without it the program ends: "Operating in non-FIPS mode is not supported".
      { GODEBUG: 'fips140=on' },
    ),
  ]);
  await Promise.all(servers.map(({ server, url }) => server.until(answers(url))));
  return servers.map(({ server }) => server);
}

function controllerEnvironment(state: ServerState, kubeconfig: string): Record<string, string> {
  const home = join(state.folder, 'home');
  // Go asks no proxy for loopback: whatever is not on this machine ends at a closed port.
  const nowhere = `http://${HOST}:1`;
  return {
    KUBECONFIG: kubeconfig,
    RUNTIME_NAMESPACE: NAMESPACE,
    DOCKER_CONFIG: join(home, '.docker'),
    TUF_ROOT: join(home, 'tuf'),
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
  };
}

async function startReceiver() {
  const events: FluxEvent[] = [];
  const server = createServer((request, response) => {
    readJson(request).then(
      (body) => {
        events.push(v.parse(EventSchema, body));
        response.writeHead(200).end();
      },
      () => response.writeHead(400).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    events,
    url: `http://${HOST}:${port}/`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    text += chunk;
  }
  return JSON.parse(text);
}
