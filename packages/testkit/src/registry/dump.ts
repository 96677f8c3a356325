import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from './store.ts';

/**
 * Writes tags and manifests as plain files for people to look at. `_tags` and `_manifests` are no repository names
 * (distribution-spec grammar), so that `a` and `a/b` can lie in each other.
 */
export async function dumpStore(store: Store, dir: string): Promise<void> {
  for (const [name, { manifests, tags }] of store.repositories) {
    const manifestDir = join(dir, name, '_manifests');
    const tagDir = join(dir, name, '_tags');
    await mkdir(manifestDir, { recursive: true });
    await mkdir(tagDir, { recursive: true });
    for (const manifest of manifests.values()) {
      await writeFile(join(manifestDir, `${manifest.digest.replace(':', '-')}.json`), manifest.bytes);
    }
    for (const [tag, digest] of tags) {
      await writeFile(join(tagDir, tag), `${digest}\n`);
    }
  }
}
