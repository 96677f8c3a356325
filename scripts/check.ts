import { spawnSync } from 'node:child_process';
import { ROOT } from './repository.ts';

/** Everything that is not a test, each also alone as `npm run check:<name>`. All run, so that one run tells everything. */
const CHECKS = ['types', 'lint', 'dead-code', 'arrows', 'docs', 'lockfile', 'dist'] as const;

let failed = 0;
for (const check of CHECKS) {
  console.log(`\n> check:${check}`);
  const { status } = spawnSync('npm', ['run', '--silent', `check:${check}`], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) {
    failed += 1;
    console.error(`check:${check} failed`);
  }
}
console.log(`\nchecks: ${CHECKS.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
