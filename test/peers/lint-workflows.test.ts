import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { createWorkspace, type Workspace } from '@gitless/testkit';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACTIONS, ROOT } from '../../scripts/repository.ts';
import { files, read } from '../repository/support.ts';
import { toolFile } from './build-tools.ts';
import { runPeer } from './job.ts';
import { createState, type ServerState } from './servers/process.ts';
import { filledIn } from './user-workflow.ts';

const WORKFLOWS = [...files('examples/workflows/**/*.yml'), ...files('.github/workflows/*.yml')];
const SETTINGS = ['.github/actionlint.yaml', '.github/zizmor.yml'];
const COMMIT = 'a'.repeat(40);

const ActionlintSchema = v.array(v.object({ message: v.string(), filepath: v.string() }));
const LocationSchema = v.object({
  symbolic: v.object({ key: v.object({ Local: v.object({ verbatim_path: v.string() }) }) }),
});
const ZizmorSchema = v.array(v.object({ ident: v.string(), locations: v.array(LocationSchema) }));

/** Findings of a linter, `<file>: <message>` each, without repetitions. */
type Linter = (files: Readonly<Record<string, string>>, ...options: string[]) => Promise<string[]>;

/** Where a user puts the workflow of an example. */
function placeOf(path: string): string {
  return path.replace('examples/workflows', '.github/workflows');
}

/** All workflows in one repository, filled in by `fill`, changed by `change`. */
function held(fill: (content: string) => string, change = (content: string) => content): Record<string, string> {
  return Object.fromEntries(WORKFLOWS.map((path) => [placeOf(path), change(fill(read(path)))]));
}

/** As a user refers to this suite: by commit. */
const byCommit = (content: string) => filledIn(content, 'acme/gitless', COMMIT);
/** As if this suite lay in the same repository, where actionlint reads what each action takes and gives. */
const inPlace = (content: string) => content.replaceAll(/OWNER\/gitless\/(actions\/\w+)@<commit sha>/g, './$1');

const withSettings = Object.fromEntries(SETTINGS.map((path) => [path, read(path)]));

let state: ServerState;
beforeAll(async () => {
  state = await createState('lint');
});
// biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
afterAll(({}, suite) => state?.close(suite));

async function inRepository<T>(
  content: Readonly<Record<string, string>>,
  use: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const workspace = await createWorkspace(content);
  try {
    for (const action of ACTIONS) {
      const file = join('actions', action, 'action.yml');
      await cp(join(ROOT, file), join(workspace.dir, file), { recursive: true });
    }
    await cp(join(ROOT, 'dist'), join(workspace.dir, 'dist'), { recursive: true });
    return await use(workspace);
  } finally {
    await workspace.cleanup();
  }
}

function workflowsIn(content: Readonly<Record<string, string>>): string[] {
  return Object.keys(content).filter((path) => path.startsWith('.github/workflows/'));
}

const actionlint: Linter = (content) =>
  inRepository(content, async ({ dir }) => {
    // Neither of the two programs that it would run on scripts, so that it finds the same on every machine.
    const args = ['-shellcheck=', '-pyflakes=', '-format={{json .}}', ...workflowsIn(content)];
    const { stdout, stderr } = await runPeer(state, await toolFile('actionlint'), args, { cwd: dir });
    expect(stderr).toBe('');
    const findings = v.parse(ActionlintSchema, JSON.parse(stdout));
    return unique(findings.map(({ filepath, message }) => `${filepath}: ${message}`));
  });

const zizmor: Linter = (content, ...options) =>
  inRepository(content, async ({ dir }) => {
    const args = ['--pedantic', '--offline', '--strict-collection', '--quiet', '--format=json', ...options];
    const program = await toolFile('bin/zizmor', 'zizmor');
    const { stdout } = await runPeer(state, program, [...args, ...workflowsIn(content)], { cwd: dir });
    const findings = v.parse(ZizmorSchema, JSON.parse(stdout));
    return unique(
      findings.map(({ ident, locations: [first] }) => `${first?.symbolic.key.Local.verbatim_path}: ${ident}`),
    );
  });

function unique(findings: readonly string[]): string[] {
  return [...new Set(findings)].sort();
}

describe('actionlint', () => {
  it.each([
    ['by commit', byCommit],
    ['in the same repository, with their inputs and outputs', inPlace],
  ])('finds nothing in the workflows that use the actions %s', async (_how, fill) => {
    expect(await actionlint({ ...held(fill), ...withSettings })).toEqual([]);
  });

  it('is told to overlook one thing: a key that GitHub knows and it does not', async () => {
    const queue = 'unexpected key "queue" for "concurrency" section. expected one of "cancel-in-progress", "group"';
    const findings = await actionlint(held(inPlace));
    expect(findings.length).toBeGreaterThan(0);
    expect(findings.filter((finding) => !finding.includes(queue))).toEqual([]);
  });

  it.each([
    [
      'an input that the action does not have',
      'rendered-digest:',
      'rendered-digst:',
      '"rendered-digst" is not defined in action "gitless package"',
    ],
    [
      'an output that the action does not give',
      'outputs.tar-digest }}',
      'outputs.tar-digst }}',
      'property "tar-digst" is not defined',
    ],
    ['a right that there is not', 'id-token: write', 'id-tokens: write', 'unknown permission scope "id-tokens"'],
  ])('finds %s', async (_what, from, to, message) => {
    const ship = { '.github/workflows/ship.yml': inPlace(read('examples/workflows/ship.yml')).replace(from, to) };
    expect(await actionlint({ ...ship, ...withSettings })).toEqual([expect.stringContaining(message)]);
  });
});

describe('zizmor, pedantic', () => {
  it('finds nothing in the workflows', async () => {
    expect(await zizmor({ ...held(byCommit), ...withSettings })).toEqual([]);
  });

  it('is told to overlook only how our own files are referred to', async () => {
    expect(await zizmor(held(byCommit), '--no-config', '--no-ignores')).toEqual([
      // `./`: actionlint and GitHub Enterprise Server do not know `$/` yet.
      '.github/workflows/ci.yml: self-repository',
      // By branch: what stands after the @ is part of the identity that signs.
      '.github/workflows/organisation/caller.yml: unpinned-uses',
    ]);
  });

  it.each([
    ['a reference by tag', `@${COMMIT}`, '@v1', 'unpinned-uses'],
    ['a right that nobody explains', / # to push to.*$/m, '', 'undocumented-permissions'],
    ['rights for every job', 'permissions: {}', 'permissions: write-all', 'excessive-permissions'],
  ])('finds %s', async (_what, from, to, ident) => {
    const ship = { '.github/workflows/ship.yml': byCommit(read('examples/workflows/ship.yml')).replace(from, to) };
    expect(await zizmor({ ...ship, ...withSettings })).toEqual([`.github/workflows/ship.yml: ${ident}`]);
  });
});
