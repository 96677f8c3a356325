import { type KubernetesClient, type KubernetesObject, referenceTo } from '../kubernetes-client.ts';

const EVERY_MS = 100;

/** Stands in for what runs pods: tells of every Deployment that it is rolled out, except those in `heldBack` (`namespace/name`). */
export function startRollouts(client: KubernetesClient, heldBack: ReadonlySet<string>): { stop(): Promise<void> } {
  let stopped = false;
  const ended = (async () => {
    while (!stopped) {
      for (const deployment of await client.list('apps/v1', 'Deployment').catch(() => [])) {
        const { name, namespace, generation } = deployment.metadata;
        if (deployment.status?.observedGeneration !== generation && !heldBack.has(`${namespace}/${name}`)) {
          // It may be gone by now.
          await client
            .merge(referenceTo(deployment), { status: rolledOut(deployment) }, 'status')
            .catch(() => undefined);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();
  return {
    stop() {
      stopped = true;
      return ended;
    },
  };
}

function rolledOut({ metadata: { generation }, spec }: KubernetesObject) {
  const replicas = Number(spec?.['replicas'] ?? 1);
  return {
    observedGeneration: generation,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
    conditions: [
      { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: '' },
      { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message: '' },
    ],
  };
}
