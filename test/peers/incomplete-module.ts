import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sourceDirectory } from './go.ts';

/** Modules that embed files which their archive does not hold: folder of `tools/` → module and what stands in for the files. */
const INCOMPLETE: Readonly<
  Record<string, { readonly module: string; readonly files: Readonly<Record<string, string>> }>
> = {
  // Its web interface is built by npm.
  'flux-operator': {
    module: 'github.com/controlplaneio-fluxcd/flux-operator',
    files: { 'web/dist/index.html': '<!doctype html>\n' },
  },
};

/**
 * Arguments for `go build` in `folder` when its module is incomplete: a copy of the module in `scratch` has the missing
 * files, and a go.mod beside it uses the copy. (`-overlay` refuses files below Go's module cache.) All pins stay as they are.
 */
export async function completeModule(name: string, folder: string, scratch: string): Promise<string[]> {
  const incomplete = INCOMPLETE[name];
  if (incomplete === undefined) {
    return [];
  }
  const copy = join(scratch, 'module');
  await cp(await sourceDirectory(incomplete.module, folder), copy, { recursive: true });
  await makeWritable(copy);
  for (const [path, content] of Object.entries(incomplete.files)) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await writeFile(join(copy, path), content);
  }
  const modfile = join(scratch, 'go.mod');
  await writeFile(
    modfile,
    `${await readFile(join(folder, 'go.mod'), 'utf8')}\nreplace ${incomplete.module} => ${copy}\n`,
  );
  await writeFile(join(scratch, 'go.sum'), await readFile(join(folder, 'go.sum')));
  return [`-modfile=${modfile}`];
}

/** Go's module cache is read-only, and so is what is copied from it. */
async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => chmod(join(entry.parentPath, entry.name), 0o755)),
  );
}
