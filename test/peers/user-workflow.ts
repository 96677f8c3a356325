import * as v from 'valibot';
import { type Document, parseDocument } from 'yaml';

/** A workflow of `examples/` as a user holds it, who keeps this suite at `repository` and uses its `ref`. */
export function filledIn(workflow: string, repository: string, ref: string): string {
  return workflow.replaceAll(/OWNER\/gitless\/(actions\/\w+)@<commit sha>/g, `${repository}/$1@${ref}`);
}

const WorkflowSchema = v.object({
  jobs: v.record(
    v.string(),
    v.object({
      permissions: v.optional(v.record(v.string(), v.string()), {}),
      environment: v.optional(v.string()),
      steps: v.optional(v.array(v.object({ uses: v.optional(v.string(), '') })), []),
    }),
  ),
});

/** The workflow's jobs that may ask for a token, with their environments. */
export function tokenJobs(workflow: string): { readonly id: string; readonly environment: string | undefined }[] {
  return Object.entries(jobsOf(parseDocument(workflow)))
    .filter(([, { permissions }]) => permissions['id-token'] === 'write')
    .map(([id, { environment }]) => ({ id, environment }));
}

/**
 * What GitHub does and act does not: jobs with `id-token: write`, and only those, get `tokenEnvironment`. What GitHub
 * knows and act 0.2.89 does not is left out: `concurrency.queue`. And what a registry on loopback needs: plain http.
 */
export function forAct(workflow: string, tokenEnvironment: Readonly<Record<string, string>>): string {
  const document = parseDocument(workflow);
  if (document.hasIn(['concurrency', 'queue'])) {
    document.deleteIn(['concurrency', 'queue']);
  }
  const mayAsk = tokenJobs(workflow).map(({ id }) => id);
  for (const [id, { steps }] of Object.entries(jobsOf(document))) {
    if (mayAsk.includes(id) && steps.length > 0) {
      document.setIn(['jobs', id, 'env'], tokenEnvironment);
    }
    for (const [index, { uses }] of steps.entries()) {
      if (/\/actions\/(push|promote)@/.test(uses)) {
        document.setIn(['jobs', id, 'steps', index, 'with', 'plain-http'], true);
      }
    }
  }
  return document.toString({ lineWidth: 0 });
}

function jobsOf(document: Document) {
  return v.parse(WorkflowSchema, document.toJS()).jobs;
}
