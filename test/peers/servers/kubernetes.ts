import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { toolFile } from '../build-tools.ts';
import {
  conditionOf,
  type KubernetesClient,
  kubernetesClient,
  type Manifest,
  referenceTo,
} from '../kubernetes-client.ts';
import { answers, eventually, freePorts, type ServerProcess, type ServerState, startProcess } from './process.ts';

const HOST = '127.0.0.1';

/** etcd and kube-apiserver: a whole Kubernetes API with admission and RBAC, and nothing that runs pods. */
export interface KubernetesApi {
  readonly client: KubernetesClient;
  /** For controllers, as a member of system:masters. */
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

/** Starts both in the folder of `state`. */
export async function startKubernetes(state: ServerState): Promise<KubernetesApi> {
  const [etcdPort, peerPort, apiPort] = await freePorts(3);
  const [etcdUrl, peerUrl] = [`http://${HOST}:${etcdPort}`, `http://${HOST}:${peerPort}`];
  const token = randomBytes(16).toString('hex');
  const tokens = join(state.folder, 'tokens.csv');
  const serviceAccountKey = join(state.folder, 'service-accounts.pem');
  const certificates = join(state.folder, 'apiserver');
  const kubeconfig = join(state.folder, 'kubeconfig');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(serviceAccountKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(tokens, `${token},peers,peers,system:masters\n`, { mode: 0o600 });

  const started: ServerProcess[] = [];
  let client: KubernetesClient | undefined;
  const stop = async () => {
    client?.close();
    for (const server of started.reverse()) {
      await server.stop();
    }
  };
  try {
    const etcd = startProcess(state, {
      name: 'etcd',
      // Go names a program after the last element of its path that is no version.
      file: await toolFile('server', 'kubernetes'),
      args: [
        '--name=peers',
        `--data-dir=${join(state.folder, 'etcd')}`,
        '--unsafe-no-fsync',
        '--log-level=warn',
        `--listen-client-urls=${etcdUrl}`,
        `--advertise-client-urls=${etcdUrl}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=peers=${peerUrl}`,
      ],
    });
    started.push(etcd);
    await etcd.until(answers(`${etcdUrl}/health`));
    const apiServer = startProcess(state, {
      name: 'kube-apiserver',
      file: await toolFile('kube-apiserver', 'kubernetes'),
      args: [
        `--etcd-servers=${etcdUrl}`,
        `--bind-address=${HOST}`,
        `--advertise-address=${HOST}`,
        `--secure-port=${apiPort}`,
        `--cert-dir=${certificates}`,
        '--endpoint-reconciler-type=none',
        '--service-cluster-ip-range=10.0.0.0/24',
        '--authorization-mode=RBAC',
        `--token-auth-file=${tokens}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${serviceAccountKey}`,
        `--service-account-signing-key-file=${serviceAccountKey}`,
        // Nothing here makes the service account `default` of a new namespace.
        '--disable-admission-plugins=ServiceAccount',
      ],
    });
    started.push(apiServer);
    const certificate = join(certificates, 'apiserver.crt');
    const ca = await apiServer.until(async () => (await readFile(certificate, 'utf8')) || undefined);
    const url = `https://${HOST}:${apiPort}`;
    await writeFile(kubeconfig, JSON.stringify(kubeconfigFor(url, certificate, token)), { mode: 0o600 });
    const api = kubernetesClient({ url, ca, token });
    client = api;
    await apiServer.until(async () => ((await api.probe('/readyz')) === 200 ? true : undefined));
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: 'default' };
    await apiServer.until(async () => api.get(namespace));
    return { client: api, kubeconfig, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function kubeconfigFor(server: string, certificateAuthority: string, token: string) {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'peers',
    clusters: [{ name: 'peers', cluster: { server, 'certificate-authority': certificateAuthority } }],
    users: [{ name: 'peers', user: { token } }],
    contexts: [{ name: 'peers', context: { cluster: 'peers', user: 'peers', namespace: 'default' } }],
  };
}

/** Applies every CustomResourceDefinition of the YAML files in `folders` and waits until the API server serves them. */
export async function installCustomResources(client: KubernetesClient, folders: readonly string[]): Promise<void> {
  const files = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).map((name) => join(folder, name))),
  );
  const texts = await Promise.all(files.flat().map((file) => readFile(file, 'utf8')));
  await Promise.all(
    texts.flatMap(manifestsOf).map(async (manifest) => {
      await client.apply(manifest);
      await eventually(`${manifest.metadata.name} is established`, async () =>
        conditionOf(await client.get(referenceTo(manifest)), 'Established').startsWith('True'),
      );
    }),
  );
}

/** The objects of a YAML stream, in their order. */
export function manifestsOf(stream: string): Manifest[] {
  return parseAllDocuments(stream)
    .map((document): unknown => document.toJS())
    .filter((value) => value !== null)
    .map(asManifest);
}

function asManifest(value: unknown): Manifest {
  if (!isManifest(value)) {
    throw new Error(`not a Kubernetes object: ${JSON.stringify(value)}`);
  }
  return value;
}

function isManifest(value: unknown): value is Manifest {
  return typeof value === 'object' && value !== null && 'apiVersion' in value && 'kind' in value && 'metadata' in value;
}
