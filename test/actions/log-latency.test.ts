import { afterAll, beforeAll, expect, it } from 'vitest';
import { promote } from './steps.ts';
import { requireSuccess, startWorld, type World } from './support.ts';

const LOG = '/api/v2/log/entries';
const PATIENCE_MS = 5000;
const NAMES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const SEVERAL = `schema: 1\ncomponents:\n${NAMES.map((name) => `  - {name: ${name}, path: deploy, engine: plain}\n`).join('')}`;

let world: World;
beforeAll(async () => {
  world = await startWorld({
    files: {
      'deploy/staging/web.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n',
      'several.yaml': SEVERAL,
    },
  });
});
afterAll(() => world?.close());

/** A log that answers nobody before `count` requests are there: Rekor v2 answers at its next checkpoint, about once a second. */
function answerTogether(count: number): void {
  const waiting: (() => void)[] = [];
  world.sigstore.onRequest = ({ path }) => {
    if (path !== LOG) {
      return undefined;
    }
    return new Promise((resolve) => {
      const patience = setTimeout(
        () => resolve({ status: 503, body: `${waiting.length} of ${count} came` }),
        PATIENCE_MS,
      );
      waiting.push(() => {
        clearTimeout(patience);
        resolve(undefined);
      });
      if (waiting.length === count) {
        for (const answer of waiting.splice(0)) {
          answer();
        }
      }
    });
  };
}

it('logs all statements of a component at the same time', async () => {
  requireSuccess(await world.run('package', { name: 'web', path: 'deploy' }));
  answerTogether(4);
  requireSuccess(await world.run('sign'));
  const { outputs } = requireSuccess(await world.run('push'));
  answerTogether(2);
  requireSuccess(await promote(world, { from: `web=${outputs['digest']}`, version: 'v1.0.0' }));
});

it('logs the statements of ten components at the same time, and moves their tags one after the other', async () => {
  requireSuccess(await world.run('render', { config: 'several.yaml' }));
  requireSuccess(await world.run('package'));
  answerTogether(4 * NAMES.length);
  requireSuccess(await world.run('sign'));
  const { outputs } = requireSuccess(await world.run('push'));
  const tagged = world.registry.tagHistory.length;
  answerTogether(2 * NAMES.length);
  requireSuccess(await promote(world, { from: outputs['digests'], version: 'v1.0.0' }));
  expect(world.registry.tagHistory.slice(tagged).map(({ repository, tag }) => `${repository}:${tag}`)).toEqual(
    NAMES.toSorted().flatMap((name) => [`acme/${name}:v1.0.0`, `acme/${name}:stable`]),
  );
});
