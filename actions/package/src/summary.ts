import { details, table } from '@gitless/ci';
import type { Result } from '@gitless/pipeline';

/** What was packed: digest, where it lies inside, and what a reader should know. */
export function summarize(result: Result): string {
  const rows = result.components.map(({ name, status, digest, environments, files, pathPrefix }) => [
    name,
    status === 'ok' ? 'packed' : 'failed',
    digest ?? '–',
    environments?.join(', ') || '–',
    String(files?.length ?? '–'),
    pathPrefix === '' ? 'not bound to its component' : (pathPrefix ?? '–'),
  ]);
  return [
    '## Packed',
    table(['Component', 'Status', 'Digest', 'Environments', 'Files', 'Path in the artifact'], rows),
    ...details('Findings', result.findings),
    ...details('Differs from the commit (allowed)', result.dirty ?? []),
  ].join('\n\n');
}
