import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { githubEnvironment } from '@gitless/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isDefaultBranch, readBuild, readEvent } from './github.ts';

const env = githubEnvironment();

describe('readBuild', () => {
  it('reads the run from the variables that a runner sets', () => {
    expect(readBuild(env)).toEqual({
      serverUrl: 'https://github.com',
      repository: 'acme/shop',
      repositoryId: '712345678',
      repositoryOwnerId: '91234567',
      ref: 'refs/heads/main',
      sha: 'c0ffee254729296a45a3885639ac7e10f9d54979',
      workflow: 'Ship',
      workflowRef: 'acme/shop/.github/workflows/ship.yml@refs/heads/main',
      eventName: 'push',
      runId: '16234567890',
      runAttempt: '1',
      actor: 'octocat',
      runnerEnvironment: 'github-hosted',
    });
  });

  it.each([undefined, '', 'false', '1'])('refuses to run elsewhere: GITHUB_ACTIONS=%j', (value) => {
    expect(() => readBuild({ ...env, GITHUB_ACTIONS: value })).toThrow(expect.objectContaining({ code: 'NOT_GITHUB' }));
  });

  it('names everything that is missing or wrong at once', () => {
    const broken = { ...env, GITHUB_SHA: 'main', GITHUB_REPOSITORY: undefined, GITHUB_RUN_ID: '' };
    expect(() => readBuild(broken)).toThrow(
      expect.objectContaining({
        code: 'BAD_ENVIRONMENT',
        problem: expect.objectContaining({
          details: [
            'repository: saw undefined, wants string',
            'sha: wants 40 or 64 lower-case hex digits',
            expect.stringMatching(/^runId: /),
          ],
        }),
      }),
    );
  });
});

describe('readEvent', () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'event-'));
    path = join(dir, 'event.json');
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function read(payload: string) {
    await writeFile(path, payload);
    return readEvent({ GITHUB_EVENT_PATH: path });
  }

  it('takes what it knows and leaves the rest', async () => {
    const payload = {
      repository: { default_branch: 'main', visibility: 'private', secret: 'x' },
      pull_request: { head: { repo: { full_name: 'fork/shop', fork: true, id: 1 } }, body: 'hello' },
      sender: {},
    };
    expect(await read(JSON.stringify(payload))).toEqual({
      repository: { default_branch: 'main', visibility: 'private' },
      pull_request: { head: { repo: { full_name: 'fork/shop', fork: true } } },
    });
    expect(await read('{"schedule":"0 3 * * *"}')).toEqual({});
    expect(await read('{"pull_request":{"head":{"repo":null}}}')).toEqual({ pull_request: { head: { repo: null } } });
  });

  it.each([undefined, ''])('is empty when the runner names no payload: %j', (value) => {
    expect(readEvent({ GITHUB_EVENT_PATH: value })).toEqual({});
  });

  it.each(['', '[', '{"repository":{"default_branch":1}}', '{"repository":"acme/shop"}', '{"pull_request":{}}'])(
    'refuses %j',
    async (payload) => {
      await expect(read(payload)).rejects.toMatchObject({ code: 'BAD_ENVIRONMENT' });
    },
  );

  it('refuses a payload that is not there', () => {
    expect(() => readEvent({ GITHUB_EVENT_PATH: join(dir, 'none') })).toThrow(
      expect.objectContaining({ code: 'BAD_ENVIRONMENT', message: expect.stringContaining('GITHUB_EVENT_PATH') }),
    );
  });
});

describe('isDefaultBranch', () => {
  it.each([
    ['push', 'refs/heads/main', 'main', true],
    ['push', 'refs/heads/a/b', 'a/b', true],
    ['push', 'refs/heads/main2', 'main', false],
    ['push', 'refs/tags/main', 'main', false],
    ['push', 'main', 'main', false],
    ['schedule', 'refs/heads/main', undefined, true],
    ['schedule', 'refs/heads/other', 'main', false],
    ['push', 'refs/heads/main', undefined, false],
    ['workflow_dispatch', 'refs/heads/main', undefined, false],
  ])('%s of %s with default branch %j: %s', (GITHUB_EVENT_NAME, GITHUB_REF, branch, expected) => {
    const build = readBuild(githubEnvironment({ GITHUB_EVENT_NAME, GITHUB_REF }));
    const event = branch === undefined ? {} : { repository: { default_branch: branch } };
    expect(isDefaultBranch(build, event)).toBe(expected);
  });
});
