import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { files, read } from './support.ts';

const StepSchema = v.looseObject({
  uses: v.optional(v.string()),
  with: v.optional(v.record(v.string(), v.unknown()), {}),
});
const WorkflowSchema = v.looseObject({
  permissions: v.unknown(),
  concurrency: v.optional(v.looseObject({})),
  jobs: v.record(
    v.string(),
    v.looseObject({
      permissions: v.record(v.string(), v.string()),
      concurrency: v.optional(v.looseObject({})),
      steps: v.optional(v.array(StepSchema), []),
    }),
  ),
});
const OWN = /^(?:OWNER\/gitless|\.)\/actions\/(\w+)(?:@<commit sha>)?$/;
/** The organisation's own workflow, which is called by branch. */
const ORGANISATION = 'acme/workflows/.github/workflows/ship.yml@main';
const TOKEN = 'id-token';

describe.each([...files('examples/workflows/**/*.yml'), ...files('.github/workflows/*.yml')])('%s', (path) => {
  const workflow = v.parse(WorkflowSchema, parse(read(path)));
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps);

  it('gives rights to jobs only, and cancels nothing', () => {
    expect(workflow.permissions).toEqual({});
    expect(read(path)).not.toMatch(/cancel-in-progress: *true/);
    for (const group of [workflow.concurrency, ...jobs.map((job) => job.concurrency)]) {
      expect(group?.['queue'] ?? 'max').toBe('max');
    }
  });

  it('pins every action of others by commit, and says which version that is', () => {
    const lines = [...read(path).matchAll(/^ *(?:- )?uses: (.*)$/gm)].map(([, line = '']) => line);
    const foreign = lines.filter((line) => !OWN.test(line.replace(/ #.*$/, '')) && !line.startsWith(ORGANISATION));
    expect(foreign.filter((line) => !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  it('sets only inputs that our actions have, and all that they require', () => {
    for (const { uses, with: inputs } of steps) {
      const action = OWN.exec(uses ?? '')?.[1];
      if (action !== undefined) {
        const declared: Record<string, { required: boolean }> = parse(read(`actions/${action}/action.yml`)).inputs;
        expect(Object.keys(declared)).toEqual(expect.arrayContaining(Object.keys(inputs)));
        const required = Object.keys(declared).filter((name) => declared[name]?.required);
        expect(Object.keys(inputs)).toEqual(expect.arrayContaining(required));
      }
    }
  });

  it('keeps no credentials of git in the checkout', () => {
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkouts.map((step) => step.with['persist-credentials'])).toEqual(checkouts.map(() => false));
  });
});

describe('workflows', () => {
  it.each([
    ['examples/workflows/ship-one-job.yml', 20],
    ['examples/workflows/organisation/caller.yml', 12],
  ])('%s has at most %i lines', (path, most) => {
    expect(read(path).trimEnd().split('\n').length).toBeLessThanOrEqual(most);
  });

  it.each(['examples/workflows/ship.yml', 'examples/workflows/organisation/ship.yml'])(
    '%s renders without rights, and runs nothing of others beside the token',
    (path) => {
      const { render, ship } = v.parse(WorkflowSchema, parse(read(path))).jobs;
      expect(render?.permissions).toEqual({ contents: 'read' });
      expect(ship?.permissions[TOKEN]).toBe('write');
      expect(ship?.steps.map(({ uses }) => uses?.split('@')[0])).toEqual([
        'actions/checkout',
        'actions/download-artifact',
        'OWNER/gitless/actions/package',
        'OWNER/gitless/actions/sign',
        'OWNER/gitless/actions/push',
      ]);
    },
  );

  it('promotes what was previewed, by digest, in an environment', () => {
    const { preview, promote } = v.parse(WorkflowSchema, parse(read('examples/workflows/promote.yml'))).jobs;
    expect(Object.values(preview?.permissions ?? {})).toEqual(['read', 'read']);
    const inputs = promote?.steps.at(-1)?.with;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of the runner
    expect(inputs?.['from']).toBe('${{ needs.preview.outputs.digests }}');
    expect(inputs?.['environment']).toBe(promote?.['environment']);
  });
});
