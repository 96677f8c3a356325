import { beforeAll, describe, expect, it } from 'vitest';
import { files, read } from '../repository/support.ts';
import { type ParsedJob, type ParsedWorkflow, parseAsGitHub } from './github-parser.ts';
import { filledIn } from './user-workflow.ts';

const EXAMPLES = 'examples/workflows';
const CALLED = `${EXAMPLES}/organisation/ship.yml`;
const COMMIT = 'a'.repeat(40);

function parse(path: string, change: (content: string) => string = (content) => content): Promise<ParsedWorkflow> {
  const content = (file: string) => filledIn(read(file), 'acme/gitless', COMMIT);
  return parseAsGitHub(path, change(content(path)), content(CALLED));
}

/** Whether a job runs one of our actions, and whether that writes something. */
function runs({ steps }: ParsedJob, action: string): boolean {
  return steps.some(
    (step) => step.uses.startsWith(`acme/gitless/actions/${action}@`) && step.with['dry-run'] !== 'true',
  );
}

describe.each([...files(`${EXAMPLES}/**/*.yml`), ...files('.github/workflows/*.yml')])(
  "%s, by GitHub's own parser",
  (path) => {
    let workflow: ParsedWorkflow;
    let jobs: [string, ParsedJob][];
    beforeAll(async () => {
      workflow = await parse(path);
      jobs = Object.entries(workflow.jobs);
    });

    it('is a workflow that GitHub would run', () => {
      expect(workflow.errors).toEqual([]);
    });

    it('gives each job the rights that its steps need, and no more', () => {
      expect(workflow.permissions).toEqual({});
      for (const [, job] of jobs) {
        const signs = runs(job, 'sign') || runs(job, 'promote') || job.uses !== '';
        const pushes = runs(job, 'push') || runs(job, 'promote') || job.uses !== '';
        const looks = job.steps.some(({ uses }) => uses.startsWith('acme/gitless/actions/promote@'));
        expect(job.permissions).toEqual({
          contents: 'read',
          ...(signs ? { 'id-token': 'write' } : {}),
          ...(pushes ? { packages: 'write' } : looks ? { packages: 'read' } : {}),
        });
      }
    });

    it('runs nothing that can sign for what is not merged', () => {
      expect(Object.keys(workflow.on)).not.toContain('pull_request_target');
      expect(Object.keys(workflow.on)).not.toContain('workflow_run');
      if ('pull_request' in workflow.on) {
        expect(jobs.filter(([, { permissions }]) => permissions?.['id-token'] !== undefined)).toEqual([]);
      } else {
        expect([undefined, { branches: ['main'] }]).toContainEqual(workflow.on['push']);
      }
    });

    it('cancels nothing that writes, and lets every run have its turn', () => {
      const { concurrency, on } = workflow;
      if (concurrency !== undefined) {
        expect(concurrency['cancel-in-progress']).toBe('false');
      }
      if (jobs.some(([, job]) => runs(job, 'push') || runs(job, 'promote'))) {
        // One group for the whole repository: no expression in it.
        expect(concurrency).toMatchObject({ group: expect.stringMatching(/^[a-z-]+$/), queue: 'max' });
        expect(on).not.toHaveProperty('pull_request');
      }
    });
  },
);

describe('the examples, as GitHub enforces them', () => {
  it.each(files(`${EXAMPLES}/**/*.yml`))('%s needs nothing of the checkout to find its actions', async (path) => {
    const { jobs } = await parse(path);
    const used = Object.values(jobs).flatMap(({ uses, steps }) => [uses, ...steps.map((step) => step.uses)]);
    // No `./`, which is a file of the checkout, and no `$/`, which is newer than many a server.
    expect(used.filter((uses) => uses !== '' && !/^[\w-]+\/[\w./-]+@[\w]+$/.test(uses))).toEqual([]);
  });

  it('let only the job of the environment production promote, after the preview', async () => {
    const { jobs } = await parse(`${EXAMPLES}/promote.yml`);
    const { preview, promote } = jobs;
    expect(Object.keys(jobs)).toEqual(['preview', 'promote']);
    expect(preview).not.toHaveProperty('environment');
    expect(promote).toMatchObject({ needs: 'preview', environment: 'production' });
    expect(promote?.steps.at(-1)?.with['environment']).toBe('production');
    expect(promote?.steps.at(-1)?.with['from']).toContain('needs.preview.outputs.digests');
  });

  it('let the organisation workflow have what its callers grant, and start it in no other way', async () => {
    const called = await parse(CALLED);
    const { jobs } = await parse(`${EXAMPLES}/organisation/caller.yml`);
    expect(Object.keys(called.on)).toEqual(['workflow_call']);
    const wanted = Object.assign({}, ...Object.values(called.jobs).map(({ permissions }) => permissions));
    expect(jobs['ship']?.permissions).toEqual(wanted);
  });
});

describe("GitHub's own parser", () => {
  it.each([
    ['an unknown right', 'packages: write', 'packagez: write', "Unexpected value 'packagez'"],
    ['an unknown key of concurrency', 'queue: max', 'queues: max', "Unexpected value 'queues'"],
    [
      'a context that is not there',
      'steps.package.outputs',
      'step.package.outputs',
      "Unrecognized named-value: 'step'",
    ],
    ['a job that is not there', 'needs: render', 'needs: rendered', 'rendered'],
  ])('finds %s', async (_what, from, to, message) => {
    const { errors } = await parse(`${EXAMPLES}/ship.yml`, (content) => content.replace(from, to));
    expect(errors).toEqual([expect.stringContaining(message)]);
  });
});
