import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { ROOT } from './repository.ts';

/** Licence texts of every third-party package that a bundle holds, sorted by name. Fails for a package without a licence file or name. */
export async function licencesOf(metafiles: readonly Metafile[]): Promise<string> {
  const inputs = metafiles.flatMap((metafile) =>
    Object.values(metafile.outputs).flatMap((output) =>
      Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
    ),
  );
  const folders = new Set(inputs.flatMap((path) => packageFolder(path) ?? []));
  const texts = await Promise.all([...folders].sort().map(licenceOf));
  return `${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

/** `node_modules/@a/b/dist/x.js` → `node_modules/@a/b`; the innermost package counts. */
function packageFolder(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

async function licenceOf(folder: string): Promise<string> {
  const { name, version, license }: { name: string; version: string; license?: string } = JSON.parse(
    await readFile(join(ROOT, folder, 'package.json'), 'utf8'),
  );
  const file = (await readdir(join(ROOT, folder))).find((entry) => /^licen[cs]e/i.test(entry));
  if (license === undefined) {
    throw new Error(`${name}@${version} names no licence`);
  }
  const text =
    file === undefined ? '(the package ships no licence text)' : await readFile(join(ROOT, folder, file), 'utf8');
  return `${name}@${version} (${license})\n\n${text.replaceAll('\r\n', '\n').trim()}\n`;
}
