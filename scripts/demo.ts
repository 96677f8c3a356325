import { join, relative, resolve } from 'node:path';
import { formatError, UserError } from '@gitless/core';
import { answerOf, detectEngine } from './demo/engine.ts';
import { expect } from './demo/expect.ts';
import { clearOutput, writeOutput } from './demo/output.ts';
import { createScreen, type Screen } from './demo/screen.ts';
import { promote, refuseForgery, SHIPPER, ship, showTrace, showWorld } from './demo/story.ts';
import { startWorld } from './demo/world.ts';
import { ROOT } from './repository.ts';

/**
 * `npm run demo [-- <folder>]`: from a commit to production with the shipped actions, on loopback. Leaves everything in the folder,
 * `demo-output/` unless named, and exits with 1 when anything is not as expected.
 */
async function demo(screen: Screen, output: string, signal: AbortSignal): Promise<void> {
  const start = performance.now();
  screen.line('gitless demo: from a commit to production, with the actions as they are shipped');
  await clearOutput(output);
  expect((await answerOf('git', ['--version'])) !== '', 'git is not on PATH; the checkout is a git repository.');
  const engine = await detectEngine();
  const world = await startWorld(engine, SHIPPER, signal);
  try {
    showWorld(screen, world, engine);
    await ship(screen, world);
    const digest = await promote(screen, world);
    await refuseForgery(screen, world, digest);
    const { facts, evidence } = await showTrace(screen, world, digest);
    await writeOutput(output, {
      registry: world.registry,
      steps: world.steps,
      trace: facts,
      trustedRoot: world.trustedRoot,
      bundles: new Map(evidence.map(({ name, bundle }) => [`${name}.sigstore.json`, bundle])),
    });
  } finally {
    await world.close();
  }
  screen.heading('Done', `in ${((performance.now() - start) / 1000).toFixed(1)} s; all services are stopped`);
  showOutput(screen, output);
}

function showOutput(screen: Screen, output: string): void {
  const near = relative(process.cwd(), output);
  screen.facts([
    ['folder', near.startsWith('..') ? output : near],
    ['report.html', 'look here first: the trace, and every job summary as a reviewer sees it'],
    ['summaries/', 'the same summaries as the steps wrote them, in Markdown'],
    ['results/', 'what each step decided, as JSON; schemas in docs/schemas/'],
    ['registry/', 'tags, manifests and referrers as the registry held them'],
    ['bundles/', 'the statements about web in production, as Sigstore bundles'],
    ['trusted_root.json', 'what verifies them, offline'],
  ]);
}

const abort = new AbortController();
process.once('SIGINT', () => abort.abort());
const colour = process.stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
const screen = createScreen({ write: (text) => process.stdout.write(text), colour });
try {
  const folder = process.argv[2];
  // npm starts scripts in the package's folder and says where it was called.
  const caller = process.env['INIT_CWD'] ?? process.cwd();
  await demo(screen, folder === undefined ? join(ROOT, 'demo-output') : resolve(caller, folder), abort.signal);
} catch (error) {
  const reason = error instanceof UserError || !(error instanceof Error) ? formatError(error) : error.message;
  screen.failure(abort.signal.aborted ? 'It was interrupted.' : reason);
  process.exitCode = 1;
}
