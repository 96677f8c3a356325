import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { ROOT } from './repository.ts';

/** Every third-party package is pinned exactly and by content; no download address stands in the lockfile. */
const LockSchema = v.object({
  packages: v.record(
    v.string(),
    v.object({
      version: v.exactOptional(v.string()),
      link: v.exactOptional(v.boolean()),
      integrity: v.exactOptional(v.pipe(v.string(), v.startsWith('sha512-'))),
      resolved: v.exactOptional(v.string()),
    }),
  ),
});

const lock = v.parse(LockSchema, JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')));
const faults = Object.entries(lock.packages).flatMap(([path, entry]) => {
  if (!path.includes('node_modules/') || entry.link) {
    return [];
  }
  return [
    ...(entry.integrity === undefined ? [`${path}: has no integrity`] : []),
    ...(entry.resolved === undefined ? [] : [`${path}: names a download address`]),
  ];
});
const manifests = [
  'package.json',
  ...Object.keys(lock.packages)
    .filter((path) => /^(packages|actions)\//.test(path))
    .map((path) => `${path}/package.json`),
];
const DependenciesSchema = v.exactOptional(v.record(v.string(), v.string()));
const ManifestSchema = v.object({
  dependencies: DependenciesSchema,
  devDependencies: DependenciesSchema,
  optionalDependencies: DependenciesSchema,
});
for (const file of manifests) {
  const manifest = v.parse(ManifestSchema, JSON.parse(await readFile(join(ROOT, file), 'utf8')));
  for (const [name, version] of Object.entries({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
  })) {
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
      faults.push(`${file}: ${name} is ${version}, not one exact version`);
    }
  }
}
for (const fault of faults) {
  console.error(fault);
}
console.log(`lockfile: ${Object.keys(lock.packages).length} packages, ${faults.length} fault(s)`);
process.exitCode = faults.length === 0 ? 0 : 1;
