import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ROOT } from '../repository.ts';
import type { Engine } from './engine.ts';

const INPUT = join(ROOT, 'scripts/demo/input');

export interface CheckoutSettings {
  readonly engine: Engine['name'];
  /** `host:port`. */
  readonly registry: string;
  /** OIDC issuer's URL. */
  readonly issuer: string;
  /** Who ships: exact certificate subject. */
  readonly shipper: string;
  readonly trustedRoot: string;
  readonly signingConfig: string;
}

/** The files of the repository that ships, path to content: configuration, trust, and the two components. */
export async function checkoutFiles(settings: CheckoutSettings): Promise<Record<string, string>> {
  return {
    'gitless.yaml': gitlessYaml(settings),
    'trust/trusted_root.json': settings.trustedRoot,
    'trust/signing_config.json': settings.signingConfig,
    ...(await filesBelow(join(INPUT, `web-${settings.engine}`), 'web')),
    ...(await filesBelow(join(INPUT, 'policies'), 'policies')),
  };
}

function gitlessYaml({ engine, registry, issuer, shipper }: CheckoutSettings): string {
  return `schema: 1
registry: ${registry}/acme
production: ${registry}/acme-production
identity:
  issuer: ${issuer}
  subject: ${shipper}
  repository: acme/shop
trust:
  trusted-root: trust/trusted_root.json
  signing-config: trust/signing_config.json
channels:
  latest: { by: push }
  stable: { by: promote }
components:
  - name: web
    path: web
    engine: ${engine}
    environments: [staging, production]
${engine === 'helm' ? '    values: ["values-{environment}.yaml"]\n    kube-version: "1.33.0"\n' : ''}\
  - name: policies
    path: policies
    engine: plain
`;
}

async function filesBelow(directory: string, prefix: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [join(prefix, relative(directory, file)), await readFile(file, 'utf8')] as const),
    ),
  );
}
