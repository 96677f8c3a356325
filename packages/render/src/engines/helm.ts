import { join } from 'node:path';
import { type Context, UserError } from '@gitless/core';
import type { KubernetesObject } from '../kubernetes-object.ts';
import { run, type Tool } from '../tools.ts';
import { isMapping } from '../yaml.ts';

export interface HelmRequest {
  readonly tool: Tool;
  /** Absolute path of a chart with its dependencies in place. */
  readonly chart: string;
  readonly releaseName: string;
  readonly namespace: string;
  /** Absolute paths, later ones win. */
  readonly values: readonly string[];
  readonly kubeVersion?: string;
  readonly apiVersions: readonly string[];
  readonly includeCrds: boolean;
  /** Helm's homes. */
  readonly home: string;
}

/**
 * `helm template`, alike for Helm 3 and 4: no cluster, no post-renderer (4 takes a plugin there, 3 a program), no test
 * hooks. Throws `TOOL_FAILED`, `BAD_RELEASE_NAME`.
 */
export function renderHelm(context: Context, request: HelmRequest): Promise<string> {
  const args = [
    'template',
    requireReleaseName(request.releaseName),
    request.chart,
    // Without it Helm takes the namespace of the machine's current cluster.
    '--namespace',
    request.namespace,
    ...request.values.flatMap((file) => ['--values', file]),
    ...(request.kubeVersion === undefined ? [] : ['--kube-version', request.kubeVersion]),
    ...request.apiVersions.flatMap((version) => ['--api-versions', version]),
    ...(request.includeCrds ? ['--include-crds'] : []),
    '--skip-tests',
  ];
  return run(context, request.tool.file, args, { env: helmEnvironment(request.home) });
}

/** Keeps Helm from the machine's plugins, repositories, caches and clusters. */
export function helmEnvironment(home: string): Record<string, string> {
  return {
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
    KUBECONFIG: join(home, 'no-kubeconfig'),
  };
}

/** The events of a Helm hook, `undefined` for an ordinary object. */
export function hookEvents(object: KubernetesObject): string | undefined {
  const { metadata } = object.value;
  const annotations = isMapping(metadata) ? metadata['annotations'] : undefined;
  const events = isMapping(annotations) ? annotations['helm.sh/hook'] : undefined;
  return typeof events === 'string' ? events : undefined;
}

/** helm `pkg/chart/common/util`, `ValidateReleaseName`: 53 characters at most. */
function requireReleaseName(name: string): string {
  if (name.length > 53 || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)) {
    throw new UserError({
      code: 'BAD_RELEASE_NAME',
      what: `${JSON.stringify(name)} cannot be a Helm release name`,
      why: 'Helm takes up to 53 lower-case letters, digits, "-" and "."',
      fix: 'set release-name; it is the component name unless set',
    });
  }
  return name;
}
