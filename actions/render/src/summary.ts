import { details, table } from '@gitless/ci';
import type { Result } from '@gitless/pipeline';

/** What was rendered, with what, and what a reader should know of it. */
export function summarize(result: Result, tarDigest: string): string {
  const rows = result.components.map(({ name, status, engine, environments, files }) => [
    name,
    status === 'ok' ? 'rendered' : 'failed',
    engine ?? '–',
    environments?.join(', ') ?? '–',
    String(files?.length ?? '–'),
  ]);
  const tools = (result.tools ?? []).map(({ name, version, digest, asserted }) => [
    name,
    version,
    asserted ? 'yes' : 'no: pin it under `tools` in gitless.yaml',
    digest,
  ]);
  return [
    '## Rendered',
    table(['Component', 'Status', 'Engine', 'Environments', 'Files'], rows),
    `Tree for another job: \`${tarDigest}\``,
    ...(tools.length === 0 ? [] : [table(['Tool', 'Version', 'Asserted', 'SHA-256 of the program'], tools)]),
    ...details('Findings', result.findings),
    ...details('Differs from the commit (allowed)', result.dirty ?? []),
  ].join('\n\n');
}
