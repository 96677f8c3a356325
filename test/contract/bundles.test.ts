import { readdirSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { ACTIONS, ROOT } from '../../scripts/repository.ts';
import { read } from '../repository/support.ts';

const MAX_BYTES = 2 * 1024 * 1024;
/** Told apart from `main.cjs` so that a wrong input is told at once (start-up: `npm run bench:startup`). */
const MAX_INDEX_BYTES = 16 * 1024;
/** Optional peers of the CycloneDX library, which it tries for formats that are not written here. */
const OPTIONAL_PEERS = ['ajv', 'ajv-formats', 'ajv-formats-draft2019', 'libxmljs2', 'xmlbuilder2'];

describe.each(ACTIONS)('dist/%s', (action) => {
  it('holds the bundle, its licences and nothing else', () => {
    expect(readdirSync(join(ROOT, 'dist', action)).sort()).toEqual(['index.cjs', 'licenses.txt', 'main.cjs']);
  });

  it('is small: an action is downloaded whole by every job', () => {
    const size = (file: string) => statSync(join(ROOT, 'dist', action, file)).size;
    expect(size('index.cjs')).toBeLessThan(MAX_INDEX_BYTES);
    expect(size('index.cjs') + size('main.cjs')).toBeLessThan(MAX_BYTES);
  });

  it.each(['index.cjs', 'main.cjs'])('loads nothing from outside the bundle in %s', async (file) => {
    const loaded = await loadedModules(join('dist', action, file));
    const foreign = loaded.filter((name) => !builtinModules.includes(name.replace(/^node:/, '')));
    expect(foreign.filter((name) => !OPTIONAL_PEERS.includes(name))).toEqual(
      file === 'index.cjs' ? ['./main.cjs'] : [],
    );
  });

  it('names no place of the machine that built it', () => {
    for (const file of ['index.cjs', 'main.cjs', 'licenses.txt']) {
      const text = read(`dist/${action}/${file}`);
      expect(text).not.toContain(ROOT);
      expect(text).not.toMatch(/sourceMappingURL|node_modules\//);
    }
  });

  it('carries the licence of every third-party package that is in it', async () => {
    const inside = new Set<string>();
    for (const entry of ['index', 'main']) {
      for (const name of await bundledPackages(`actions/${action}/src/${entry}.ts`)) {
        inside.add(name);
      }
    }
    const named = [
      ...read(`dist/${action}/licenses.txt`).matchAll(/^((?:@[^/\s]+\/)?[^@\s]+)@\d\S* \([^)]+\)+$/gm),
    ].map(([, name]) => name);
    expect(named).toEqual(expect.arrayContaining([...inside]));
    expect(inside.size).toBeGreaterThan(0);
  });
});

/** What a script requires or imports by a fixed name, as esbuild's parser finds it. */
async function loadedModules(path: string): Promise<string[]> {
  const found = new Set<string>();
  await build({
    entryPoints: [join(ROOT, path)],
    bundle: true,
    platform: 'node',
    write: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'collect',
        setup({ onResolve }) {
          onResolve({ filter: /.*/ }, ({ path: name, kind }) => {
            if (kind === 'entry-point') {
              return undefined;
            }
            found.add(name);
            return { path: name, external: true };
          });
        },
      },
    ],
  });
  return [...found].sort();
}

/** Packages outside of this repository that contribute bytes. */
async function bundledPackages(entry: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [join(ROOT, entry)],
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    write: false,
    outdir: 'unused',
    metafile: true,
    logLevel: 'silent',
    // The build drops these two: `@actions/core` uses them for its OIDC helper only. That they are gone is tested above.
    external: [...OPTIONAL_PEERS, '@actions/http-client', 'undici'],
    plugins: [
      {
        name: 'main',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\/main\.ts$/ }, ({ kind }) =>
            kind === 'dynamic-import' ? { external: true } : undefined,
          ),
      },
    ],
  });
  const paths = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const names = paths.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)].filter((name) => !name.startsWith('@gitless/'));
}
