import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ActionRun, createWorkspace, type RunOptions, type TestRegistry } from '@gitless/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { requireSuccess, startWorld, type World, type WorldOptions } from './support.ts';

type ActionName = Parameters<World['run']>[0];

/** One line of a list of refusals: what is done wrong, and what the user is told. */
export interface Refusal {
  readonly when: string;
  readonly action: ActionName;
  readonly inputs?: Readonly<Record<string, string | undefined>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly event?: NonNullable<RunOptions['event']>;
  /** A checkout of its own with these files: at its own commit for promote, for the others at that of the steps before. */
  readonly files?: Readonly<Record<string, string>>;
  readonly code: string;
  /** Parts of the message that a reader needs. */
  readonly says: readonly (string | RegExp)[];
  /** Whether the step may have asked for an OIDC token when it refuses; else it must not. */
  readonly afterToken?: boolean;
  /** Whether the step may have spoken to the registry when it refuses; else it must not. */
  readonly afterRegistry?: boolean;
  /** One component failed, not the step: it leaves a result that says so. */
  readonly ofComponent?: boolean;
}

export const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example.test/web:1.0.0
`;

export const DEPLOY = { 'deploy/staging/web.yaml': DEPLOYMENT, 'deploy/production/web.yaml': DEPLOYMENT } as const;

/** A world in which `web` was shipped, with the work-dir as each step left it. */
export interface ShippedWorld extends World {
  readonly digest: string;
  /** A new job's temporary directory, in which the steps before `action` have run. */
  tempBefore(action: ActionName): Promise<string>;
}

export async function startShippedWorld(options: Partial<WorldOptions> = {}): Promise<ShippedWorld> {
  const world = await startWorld({ files: DEPLOY, ...options });
  const states = await mkdtemp(join(tmpdir(), 'gitless-states-'));
  const workDir = join(world.temp, 'gitless');
  const save = (name: string) => cp(workDir, join(states, name, 'gitless'), { recursive: true });
  const packaged = requireSuccess(await world.run('package', { name: 'web', path: 'deploy' }));
  await save('sign');
  requireSuccess(await world.run('sign'));
  await save('push');
  requireSuccess(await world.run('push'));
  await save('promote');
  return {
    ...world,
    digest: packaged.outputs['digest'] ?? '',
    async tempBefore(action) {
      const temp = await mkdtemp(join(states, `${action}-`));
      await cp(join(states, action), temp, { recursive: true, force: true }).catch(() => undefined);
      return temp;
    },
    async close() {
      await world.close();
      await rm(states, { recursive: true, force: true });
    },
  };
}

/** For a test file that is a list of refusals: one world for all of them, and each leaves it as it was. */
export function refusingSteps() {
  let world: ShippedWorld;
  beforeAll(async () => {
    world = await startShippedWorld();
  });
  afterAll(() => world.close());
  const refused = (refusal: Refusal) => expectRefusal(world, refusal);
  return {
    refused,
    refuses(list: readonly Refusal[]): void {
      it.each(list)('$action: $when → $code', async (refusal) => {
        await refused(refusal);
      });
    },
  };
}

/** Runs the refused step and expects the whole contract of a refusal: one error with code and way out, and nothing changed. */
export async function expectRefusal(world: ShippedWorld, refusal: Refusal): Promise<ActionRun> {
  const { action, files } = refusal;
  const temp = await world.tempBefore(action);
  const checkout = files === undefined ? undefined : await createWorkspace(files);
  const before = await stateOf(world, temp);
  const asked = { tokens: world.issuer.requests.length, registry: world.registry.requests.length };
  try {
    const run = await world.run(action, refusal.inputs, {
      temp,
      workspace: {
        dir: (checkout ?? world.workspace).dir,
        sha: action === 'promote' && checkout !== undefined ? checkout.sha : world.workspace.sha,
      },
      ...(refusal.env === undefined ? {} : { env: refusal.env }),
      ...(refusal.event === undefined ? {} : { event: refusal.event }),
    });
    expectMessage(run, refusal);
    if (refusal.ofComponent === true) {
      expect(run.outputs['result'], 'result').toBeDefined();
    } else {
      expect(run.outputs, 'outputs').toEqual({});
      expect(await stateOf(world, temp), 'registry and work-dir').toEqual(before);
    }
    expect(registryState(world.registry), 'registry').toEqual(before.registry);
    if (refusal.afterToken !== true) {
      expect(world.issuer.requests.length - asked.tokens, 'tokens asked for').toBe(0);
    }
    if (refusal.afterRegistry !== true) {
      expect(world.registry.requests.length - asked.registry, 'requests to the registry').toBe(0);
    }
    return run;
  } finally {
    await checkout?.cleanup();
  }
}

/** Exit code 1 and exactly one `::error::` that says what, with its code, and what to do; never a stack. */
export function expectMessage(run: ActionRun, { code, says }: Pick<Refusal, 'code' | 'says'>): void {
  const errors = run.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
  expect(errors, run.log).toHaveLength(1);
  const [message = ''] = errors;
  expect(message).toContain(`[${code}]`);
  expect(message).toMatch(/^ *Fix: ./m);
  for (const part of says) {
    expect(message).toEqual(typeof part === 'string' ? expect.stringContaining(part) : expect.stringMatching(part));
  }
  expect(run.log).not.toMatch(/^\s+at /m);
  expect(run.exitCode).toBe(1);
}

async function stateOf(world: World, temp: string) {
  return { registry: registryState(world.registry), workDir: await treeDigests(join(temp, 'gitless')) };
}

/** Everything that a refused step could have left behind in the registry. */
function registryState(registry: TestRegistry) {
  return {
    tags: [...registry.tagHistory],
    manifests: ['acme/web', 'fresh/web', 'production/web'].map((name) => registry.manifests(name).length),
  };
}

async function treeDigests(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const digests = files.sort().map(async (file) => {
    const digest = createHash('sha256').update(await readFile(file));
    return [file.slice(root.length + 1), digest.digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(digests));
}
