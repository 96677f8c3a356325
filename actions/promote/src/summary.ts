import { codeBlock, details, table } from '@gitless/ci';
import { type Cell, fluxResources, type PromoteResult, type PromotionRequest } from '@gitless/pipeline';
import type { Inputs } from './inputs.ts';

interface Decision {
  readonly inputs: Inputs;
  readonly requests: readonly PromotionRequest[];
}

/** What was or would be promoted, on which evidence, what changes in the clusters, and what production should accept. */
export function summarize(result: PromoteResult, { inputs, requests }: Decision): string {
  const rows = result.cells.map(({ component, version, channel, status, digest, previousDigest, repository }) => [
    component,
    version,
    channel,
    status,
    digest ?? '–',
    previousDigest ?? '–',
    repository ?? '–',
  ]);
  const failures = result.cells.flatMap(({ component, error }) =>
    error === undefined ? [] : [`${component}: ${error.message}`],
  );
  return [
    heading(result),
    table(['Component', 'Version', 'Channel', 'Status', 'Digest', 'Before', 'Repository'], rows),
    table(
      ['Shipped by', 'Promoted by', 'Environment', 'Policy', 'Reason'],
      [
        [
          requests[0]?.shipper.subject ?? '–',
          requests[0]?.promoter.subject ?? '–',
          inputs.environment ?? '–',
          result.policy,
          inputs.reason ?? '–',
        ],
      ],
    ),
    ...details('Failures', failures),
    ...result.cells.flatMap(changes),
    ...details('Findings', result.findings),
    ...details('Opt-ins of the workflow file', result.optIns ?? []),
    ...(result.dryRun ? [nextStep(result)] : requests.flatMap((request) => cluster(request, result))),
  ].join('\n\n');
}

function heading({ dryRun, cells }: PromoteResult): string {
  if (dryRun) {
    return '## Promotion preview';
  }
  return cells.every(({ status }) => status === 'failed') ? '## Not promoted' : '## Promoted';
}

function changes({ component, changes: found, leftBehind }: Cell): string[] {
  const behind = (leftBehind ?? []).map(({ digest, reason }) => `${digest}: ${reason}`);
  return [
    ...(found === undefined
      ? []
      : [
          ...details(`${component}: added`, found.added),
          ...details(`${component}: removed`, found.removed),
          ...details(`${component}: changed`, found.changed),
        ]),
    ...details(`${component}: statements left behind`, behind),
  ];
}

/** What the gated job takes: digests, never the tag that the preview resolved. */
function nextStep(result: PromoteResult): string {
  const from = result.cells.flatMap(({ component, digest }) =>
    digest === undefined ? [] : [`${component}=${digest}`],
  );
  return `What is approved is a digest. The gated job takes:\n\n${codeBlock('', from.join('\n'))}`;
}

/** The environment that the job runs in, if the artifact has one of that name, before the others. */
function firstOf(preferred: string | undefined, environments: readonly string[]): string[] {
  return [...environments].sort((a, b) => Number(b === preferred) - Number(a === preferred));
}

function cluster(request: PromotionRequest, result: PromoteResult): string[] {
  const cell = result.cells.find(({ component }) => component === request.component);
  if (cell?.repository === undefined || cell.status === 'failed') {
    return [];
  }
  const resources = fluxResources({
    component: cell.component,
    repository: cell.repository,
    tag: cell.channel,
    issuer: request.promoter.issuer,
    subject: request.promoter.subject,
    pathPrefix: cell.pathPrefix ?? cell.component,
    environments: firstOf(request.environment, cell.environments ?? []),
  });
  return [`<details><summary>${cell.component}: for production</summary>`, codeBlock('yaml', resources), '</details>'];
}
