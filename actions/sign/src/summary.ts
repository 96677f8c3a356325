import { codeBlock, details, escapeMarkdown, table } from '@gitless/ci';
import { type Result, TRUSTED_ROOT_SECRET } from '@gitless/pipeline';

interface SigningDetails {
  readonly sharedIdentity: boolean;
  /** The root to pin in Flux, as JSON. */
  readonly fluxRoot: string;
}

/** Who signed what, and what the cluster needs to know to accept nothing else. */
export function summarize(result: Result, { sharedIdentity, fluxRoot }: SigningDetails): string {
  const rows = result.components.flatMap(({ name, digest, bundles, error }) =>
    bundles === undefined
      ? [[name, error?.code ?? 'failed', '–', digest ?? '–']]
      : bundles.map((bundle) => [name, bundle.predicateType, bundle.logIndex ?? '–', digest ?? '–']),
  );
  return [
    '## Signed',
    table(['Component', 'Statement', 'Log index', 'About digest'], rows),
    table(['Identity', 'Issuer'], [[result.signer?.subject ?? '–', result.signer?.issuer ?? '–']]),
    ...(sharedIdentity
      ? [
          `> **Shared identity**: every repository whose workflows call ${escapeMarkdown(result.signer?.subject ?? '')} signs under this name. Flux cannot tell them apart; push, promote and verify check the calling repository.`,
        ]
      : []),
    ...details('Opt-ins of the workflow file', result.optIns ?? []),
    `<details><summary>Trusted root for Flux (Secret ${TRUSTED_ROOT_SECRET}, key trusted_root.json)</summary>\n\n${codeBlock('json', fluxRoot)}\n\n</details>`,
  ].join('\n\n');
}
