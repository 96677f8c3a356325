import { registerHooks } from 'node:module';
import type { TemplateParseResult } from '@actions/workflow-parser';
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token';
import * as v from 'valibot';

// The package imports its JSON without the attribute that Node demands.
registerHooks({
  load: (url, context, nextLoad) =>
    nextLoad(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context),
});
const { convertWorkflowTemplate, isMapping, isSequence, NoOperationTraceWriter, parseWorkflow } = await import(
  '@actions/workflow-parser'
);

const RightsSchema = v.record(v.string(), v.string());
const ConcurrencySchema = v.object({
  group: v.string(),
  queue: v.optional(v.string()),
  'cancel-in-progress': v.optional(v.string(), 'false'),
});
const StepSchema = v.object({
  uses: v.optional(v.string(), ''),
  with: v.optional(v.record(v.string(), v.string()), {}),
});
const JobSchema = v.object({
  needs: v.optional(v.string()),
  permissions: v.optional(RightsSchema),
  environment: v.optional(v.string()),
  uses: v.optional(v.string(), ''),
  steps: v.optional(v.array(StepSchema), []),
});
const WorkflowSchema = v.object({
  on: v.record(v.string(), v.unknown()),
  permissions: v.optional(RightsSchema),
  concurrency: v.optional(ConcurrencySchema),
  jobs: v.record(v.string(), JobSchema),
});

export type ParsedJob = v.InferOutput<typeof JobSchema>;

export interface ParsedWorkflow extends v.InferOutput<typeof WorkflowSchema> {
  /** What GitHub would say of the file in place of running it. */
  readonly errors: readonly string[];
}

/** A workflow file as GitHub's own parser (actions/languageservices) understands it. `called` is the content of a reusable workflow that it calls. */
export async function parseAsGitHub(name: string, content: string, called = ''): Promise<ParsedWorkflow> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  if (value === undefined) {
    throw new Error(`${name} is no workflow: ${errorsOf(context)}`);
  }
  const files = { getFileContent: async () => ({ name: 'called.yml', content: called }) };
  await convertWorkflowTemplate(context, value, files, { fetchReusableWorkflowDepth: 1 });
  return { errors: errorsOf(context), ...v.parse(WorkflowSchema, plain(value)) };
}

function errorsOf({ errors }: TemplateParseResult['context']): string[] {
  return errors.getErrors().map(({ message }) => message);
}

/** Every scalar as text; an expression as it is written. */
function plain(token: TemplateToken): unknown {
  if (isMapping(token)) {
    return Object.fromEntries([...token].map(({ key, value }) => [`${key}`, plain(value)]));
  }
  return isSequence(token) ? [...token].map(plain) : `${token}`;
}
