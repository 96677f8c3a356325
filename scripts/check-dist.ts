import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAll, filesBelow } from './build.ts';
import { ROOT } from './repository.ts';

/** `dist/` is what runs in people's workflows: it must be exactly what these sources build, file by file and byte by byte. */
const fresh = await mkdtemp(join(tmpdir(), 'gitless-dist-'));
try {
  await buildAll(fresh);
  const dist = join(ROOT, 'dist');
  const [built, committed] = [await filesBelow(fresh), await filesBelow(dist)];
  const differing: string[] = [];
  for (const file of new Set([...built, ...committed])) {
    const [a, b] = await Promise.all([read(join(fresh, file)), read(join(dist, file))]);
    if (a === undefined || b === undefined || !a.equals(b)) {
      differing.push(file);
    }
  }
  if (differing.length > 0) {
    console.error(
      `dist/ is not what the sources build:\n${differing.map((file) => `  - ${file}`).join('\n')}\nFix: npm run build, and commit dist/`,
    );
    process.exitCode = 1;
  } else {
    console.log(`dist/ equals a fresh build: ${built.length} files`);
  }
} finally {
  await rm(fresh, { recursive: true, force: true });
}

async function read(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(() => undefined);
}
