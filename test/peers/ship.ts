import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { promote } from '../actions/steps.ts';
import { requireSuccess, type World } from '../actions/support.ts';
import { pathWith, toolFile } from './build-tools.ts';
import { output, plainEnvironment, render, unpack, withFolder } from './support.ts';

/** One environment of one component, and the plain command that says what it must be. */
export interface Case {
  readonly component: string;
  readonly environment: string;
  /** Run in the checkout. */
  readonly plain: readonly ['helm' | 'kustomize' | 'cat', ...string[]];
}

type Inputs = Record<string, string>;

interface Shipped {
  /** What `stable` points to, unpacked: `<component>/…`. */
  readonly folder: string;
  readonly tarDigest: string;
}

const ManifestSchema = v.object({ layers: v.array(v.object({ digest: v.string() })) });

/** All five steps over every component of the checkout's gitless.yaml. */
export async function shipAll(world: World, inputs: { push?: Inputs; promote?: Inputs } = {}): Promise<Shipped> {
  const { outputs } = requireSuccess(await render(world, await pathWith('helm', 'kustomize')));
  requireSuccess(await world.run('package'));
  requireSuccess(await world.run('sign'));
  const pushed = requireSuccess(await world.run('push', inputs.push));
  const from = pushed.outputs['digests'] ?? '';
  requireSuccess(await promote(world, { from, version: 'v1.0.0', ...inputs.promote }));
  const components = Object.keys(v.parse(v.record(v.string(), v.string()), JSON.parse(from)));
  return { folder: await unpackStable(world, components), tarDigest: outputs['tar-digest'] ?? '' };
}

/** All into one folder: every artifact keeps to the directory of its component. */
async function unpackStable(world: World, components: readonly string[]): Promise<string> {
  const folder = join(world.temp, 'stable');
  await mkdir(folder);
  for (const component of components) {
    const repository = `acme/${component}`;
    const stable = world.registry.tags(repository).get('stable');
    const manifest = world.registry.manifests(repository).find(({ digest }) => digest === stable);
    const { layers } = v.parse(ManifestSchema, JSON.parse(Buffer.from(manifest?.bytes ?? '').toString()));
    const archive = join(world.temp, `${component}.tgz`);
    await writeFile(archive, world.registry.blob(layers[0]?.digest ?? '') ?? '');
    await unpack(archive, folder);
  }
  return folder;
}

/** What the tool itself prints for a case. */
export function runPlain(world: World, [tool, ...args]: Case['plain']): Promise<string> {
  const more = tool === 'helm' ? ['--skip-tests'] : [];
  return withFolder(async (home) =>
    output(tool === 'cat' ? tool : await toolFile(tool), [...args, ...more], {
      cwd: world.workspace.dir,
      env: plainEnvironment(home),
    }),
  );
}
