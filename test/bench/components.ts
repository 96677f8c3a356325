/** The same input for both sides: `count` kustomize components of twelve objects, each with the overlays staging and production. */
export function componentFiles(count: number): Record<string, string> {
  const names = componentNames(count);
  return Object.fromEntries([
    ['gitless.yaml', gitlessYaml(names)],
    ...names.flatMap((name) =>
      Object.entries(kustomizations(name)).map(([path, text]) => [`components/${name}/${path}`, text]),
    ),
  ]);
}

export function componentNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `component-${index}`);
}

function gitlessYaml(names: readonly string[]): string {
  const components = names.map((name) => `  - name: ${name}\n    path: components/${name}\n    engine: kustomize\n`);
  return `schema: 1\nenvironments: [staging, production]\ncomponents:\n${components.join('')}`;
}

function kustomizations(component: string): Record<string, string> {
  const parts = ['web', 'worker', 'cron'];
  return {
    ...Object.fromEntries(parts.map((part) => [`base/${part}.yaml`, objects(`${component}-${part}`)])),
    'base/kustomization.yaml': kustomization(`resources: [${parts.map((part) => `${part}.yaml`).join(', ')}]`),
    'overlays/staging/kustomization.yaml': overlay(component, 'staging', 1),
    'overlays/production/kustomization.yaml': overlay(component, 'production', 3),
  };
}

function overlay(component: string, environment: string, replicas: number): string {
  return kustomization(`namespace: ${environment}
resources: [../../base]
replicas: [{name: ${component}-web, count: ${replicas}}]`);
}

function kustomization(content: string): string {
  return `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n${content}\n`;
}

function objects(name: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 1
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - name: main
          image: registry.example.test/acme/${name}:1.2.3
          env: [{name: MODE, value: "1"}]
          resources: {limits: {memory: 64Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: ${name}}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}}
data: {text: "${'x'.repeat(400)}"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ${name}}
`;
}
