import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { goEnvironment, goModuleVersion, missingGo } from './go.ts';
import { completeModule } from './incomplete-module.ts';
import { installPython } from './python.ts';

const TOOLS_DIRECTORY = join(import.meta.dirname, 'tools');

/** Programs that tell their version only when their own release build stamps it: folder → module and Go variable. */
const STAMPED_VERSIONS: Readonly<Record<string, { readonly module: string; readonly variable: string }>> = {
  helm: { module: 'helm.sh/helm/v4', variable: 'helm.sh/helm/v4/internal/version.version' },
  kubernetes: { module: 'k8s.io/kubernetes', variable: 'k8s.io/component-base/version.gitVersion' },
};

const PROGRESS_EVERY_MS = 10_000;
const KEPT_ERROR_LINES = 30;

/** Folders of `tools/`, each a go.mod with `tool` directives (one program, or a family that is built together) or a requirements.txt. */
async function toolFolders(): Promise<string[]> {
  const entries = await readdir(TOOLS_DIRECTORY, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

export function toolFolder(name: string): string {
  return join(TOOLS_DIRECTORY, name);
}

/**
 * Builds what is not in the cache yet, one after another: parallel builds compile shared packages twice. Prints what it
 * does. Throws an Error with the reason when Go is missing or a build fails.
 */
export async function buildTools(): Promise<void> {
  for (const name of await toolFolders()) {
    await buildTool(name);
  }
}

/** One folder of `tools/`, as {@link buildTools}. */
export async function buildTool(name: string): Promise<void> {
  const target = await cacheFolder(name);
  if (await exists(target)) {
    console.log(`peers: ${name} is built: ${target}`);
  } else {
    await buildInto(name, target);
  }
}

/** Absolute path of a built program; `family` is its folder below `tools/`. Throws an Error when it is not built. */
export async function toolFile(program: string, family: string = program): Promise<string> {
  const file = join(await cacheFolder(family), program);
  if (!(await exists(file))) {
    throw new Error(`${program} is not built: run the tests with npm run test:peers, which builds it first`);
  }
  return file;
}

/** A PATH on which the given programs come first. Throws an Error when one is not built: the machine's own must not take its place. */
export async function pathWith(...programs: readonly string[]): Promise<string> {
  const files = await Promise.all(programs.map((program) => toolFile(program)));
  return [...files.map(dirname), process.env['PATH']].join(delimiter);
}

async function buildInto(name: string, target: string): Promise<void> {
  const started = Date.now();
  console.log(`peers: building ${name} into ${target}`);
  await mkdir(cacheRoot(), { recursive: true });
  const partial = await mkdtemp(`${target}.partial-`);
  const scratch = await mkdtemp(join(tmpdir(), 'gitless-build-'));
  try {
    if (await exists(join(toolFolder(name), 'requirements.txt'))) {
      await installPython(toolFolder(name), partial);
    } else {
      await goBuild(name, await completeModule(name, toolFolder(name), scratch), partial, started);
    }
    await publish(partial, target);
  } finally {
    await rm(partial, { recursive: true, force: true });
    await rm(scratch, { recursive: true, force: true });
  }
  console.log(`peers: built ${name} in ${secondsSince(started)} s`);
}

/** By rename, so that what an interrupted build leaves is never used. */
async function publish(partial: string, target: string): Promise<void> {
  try {
    await rename(partial, target);
  } catch (error) {
    // Another run of the tests was faster with the same build.
    if (!(await exists(target))) {
      throw error;
    }
  }
}

async function goBuild(name: string, options: readonly string[], output: string, started: number): Promise<void> {
  const args = [
    'build',
    ...options,
    '-v',
    '-trimpath',
    '-buildvcs=false',
    ...(await linkerFlags(name)),
    '-o',
    `${output}/`,
    'tool',
  ];
  const child = spawn('go', args, {
    cwd: toolFolder(name),
    env: goEnvironment(),
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(missingGo(error)));
    child.once('close', resolve);
  });
  let packages = 0;
  let downloads = 0;
  const errors: string[] = [];
  const progress = setInterval(
    () => console.log(`peers: ${name}: ${downloads} modules, ${packages} packages, ${secondsSince(started)} s`),
    PROGRESS_EVERY_MS,
  );
  try {
    // `go build -v` names each package on a line of its own; a line with a blank in it is something else.
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.startsWith('go: downloading ')) {
        downloads += 1;
      } else if (/^[^\s:]+$/.test(line)) {
        packages += 1;
      } else {
        errors.push(line);
      }
    });
    const exitCode = await ended;
    if (exitCode !== 0) {
      throw new Error(
        `${name} could not be built: go build ended with ${exitCode ?? 'a signal'}\n${errors.slice(-KEPT_ERROR_LINES).join('\n')}`,
      );
    }
  } finally {
    clearInterval(progress);
  }
}

async function linkerFlags(name: string): Promise<string[]> {
  const stamp = STAMPED_VERSIONS[name];
  return stamp === undefined
    ? []
    : ['-ldflags', `-X ${stamp.variable}=${await goModuleVersion(toolFolder(name), stamp.module)}`];
}

/** `<cache>/<tool>-<hash>`: of the pins, of our own sources, and of how they are built. */
async function cacheFolder(name: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of await pinFiles(name)) {
    hash.update(`${file}\n`).update(await readFile(join(toolFolder(name), file)));
  }
  hash.update(JSON.stringify([process.platform, process.arch, STAMPED_VERSIONS[name] ?? null]));
  return join(cacheRoot(), `${name}-${hash.digest('hex').slice(0, 16)}`);
}

/** Everything in the folder of a tool: its pins, and the sources of programs of our own. */
async function pinFiles(name: string): Promise<string[]> {
  const entries = await readdir(toolFolder(name), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(toolFolder(name), join(entry.parentPath, entry.name)))
    .sort();
}

function cacheRoot(): string {
  const { GITLESS_PEERS_CACHE: moved, XDG_CACHE_HOME: caches } = process.env;
  return moved || join(caches || join(homedir(), '.cache'), 'gitless', 'peers');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function secondsSince(started: number): string {
  return ((Date.now() - started) / 1000).toFixed(0);
}
