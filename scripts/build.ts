import { readdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { licencesOf } from './licences.ts';
import { ACTIONS, ROOT } from './repository.ts';

/**
 * Builds `dist/<action>/index.cjs` (inputs only: a wrong input is told at once) and `dist/<action>/main.cjs` (everything else), with the
 * licences of what is inside. Byte-identical wherever it runs: no absolute paths, no time, one pinned esbuild.
 * `outdir` is for scripts/check-dist.ts.
 */
export async function buildAll(outdir: string): Promise<void> {
  const expected = new Set<string>();
  for (const action of ACTIONS) {
    const target = join(outdir, action);
    const index = await bundle(`actions/${action}/src/index.ts`, join(target, 'index.cjs'));
    const main = await bundle(`actions/${action}/src/main.ts`, join(target, 'main.cjs'));
    await writeFile(join(target, 'licenses.txt'), await licencesOf([index, main]));
    for (const file of ['index.cjs', 'main.cjs', 'licenses.txt']) {
      expected.add(join(action, file));
    }
  }
  for (const file of await filesBelow(outdir)) {
    if (!expected.has(file)) {
      await rm(join(outdir, file));
    }
  }
}

/** Relative paths of all files below `directory`, sorted. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

async function bundle(entry: string, outfile: string): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    charset: 'utf8',
    metafile: true,
    logLevel: 'warning',
    // Optional peers of the CycloneDX library, for formats that are not written here.
    external: ['xmlbuilder2', 'libxmljs2', 'ajv', 'ajv-formats', 'ajv-formats-draft2019'],
    plugins: [mainBesideIndex, withoutHttpClient],
  });
  return metafile;
}

/** `index.cjs` loads `main.cjs` from its own folder when the inputs are valid. */
const mainBesideIndex: Plugin = {
  name: 'main-beside-index',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/main\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './main.cjs', external: true } : undefined,
    );
  },
};

/** `@actions/core` brings undici for its OIDC helper, which is not used: as side-effect free modules they drop out. */
const withoutHttpClient: Plugin = {
  name: 'without-http-client',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^(@actions\/http-client|undici)(\/|$)/ }, async (args) => {
      if (args.pluginData === 'resolved') {
        return undefined;
      }
      const { path } = await resolve(args.path, {
        kind: args.kind,
        resolveDir: args.resolveDir,
        importer: args.importer,
        pluginData: 'resolved',
      });
      return { path, sideEffects: false };
    });
  },
};

if (import.meta.main) {
  await buildAll(join(ROOT, 'dist'));
}
