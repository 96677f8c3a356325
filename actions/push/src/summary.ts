import { codeBlock, details, table } from '@gitless/ci';
import { fluxResources, type Result, TRUSTED_ROOT_SECRET } from '@gitless/pipeline';

/** What was shipped, where, under which tags, signed by whom; what to paste into the fleet and how to check it by hand. */
export function summarize(result: Result, channels: readonly string[]): string {
  const signer = result.signer ?? { issuer: '', subject: '' };
  const rows = result.components.map(({ name, status, digest, repository, tags }) => [
    name,
    status === 'ok' ? 'shipped' : 'failed',
    digest ?? '–',
    repository ?? '–',
    tags?.join(', ') ?? '–',
  ]);
  const failures = result.components.flatMap(({ name, error }) =>
    error === undefined ? [] : [`${name}: ${error.message}`],
  );
  return [
    '## Shipped',
    table(['Component', 'Status', 'Digest', 'Repository', 'Tags'], rows),
    table(['Signed by', 'Issuer'], [[signer.subject, signer.issuer]]),
    ...details('Failures', failures),
    ...details('Findings', result.findings),
    ...details('Opt-ins of the workflow file', result.optIns ?? []),
    ...result.components.flatMap((component) => cluster(component, channels[0], signer)),
  ].join('\n\n');
}

function cluster(
  component: Result['components'][number],
  channel: string | undefined,
  signer: { issuer: string; subject: string },
): string[] {
  const { name, repository, digest, environments } = component;
  if (repository === undefined || channel === undefined) {
    return [];
  }
  const resources = fluxResources({
    component: name,
    repository,
    tag: channel,
    pathPrefix: component.pathPrefix ?? name,
    ...signer,
    environments: environments ?? [],
  });
  const secret = `kubectl -n flux-system create secret generic ${TRUSTED_ROOT_SECRET} --from-file=trusted_root.json=flux-trusted-root.json`;
  const verify = [
    'cosign verify \\',
    '  --trusted-root flux-trusted-root.json --use-signed-timestamps \\',
    `  --certificate-identity ${shellWord(signer.subject)} \\`,
    `  --certificate-oidc-issuer ${shellWord(signer.issuer)} \\`,
    `  ${repository}@${digest}`,
  ].join('\n');
  return [
    `<details><summary>${name}: for the cluster, and to verify by hand</summary>`,
    'The root is the output `flux-trusted-root` of sign.',
    codeBlock('sh', secret),
    codeBlock('yaml', resources),
    codeBlock('sh', verify),
    '</details>',
  ];
}

/** One word for a POSIX shell: a branch's name, and with it an identity, may hold quotes and anything but white space. */
function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
