import { readFile } from 'node:fs/promises';
import type { ActionRun } from '@gitless/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schemas } from '../../scripts/generate-docs.ts';
import { DEPLOY } from '../actions/refusal.ts';
import { requireSuccess, startWorld, type World } from '../actions/support.ts';
import { read, validator } from '../repository/support.ts';

let world: World;
/** Results of a whole run by the name of their schema, as a reader finds them. */
const results: [name: string, schema: string, json: unknown][] = [];

beforeAll(async () => {
  world = await startWorld({ files: { ...DEPLOY, 'broken/web.yaml': 'kind: {' } });
  const keep = async (name: string, schema: string, path: string | undefined) => {
    results.push([name, `${schema}.schema.json`, JSON.parse(await readFile(path ?? '', 'utf8'))]);
  };
  const keepResult = (name: string, run: ActionRun) =>
    keep(name, name.startsWith('promote') ? 'promote-result' : 'result', run.outputs['result']);

  await keepResult('render that failed', await world.run('render', { name: 'broken', path: 'broken' }));
  await keepResult('render', requireSuccess(await world.run('render', { name: 'web', path: 'deploy' })));
  await keepResult('package', requireSuccess(await world.run('package')));
  await keepResult('sign', requireSuccess(await world.run('sign')));
  const pushed = requireSuccess(await world.run('push'));
  await keepResult('push', pushed);
  const promotion = { from: pushed.outputs['digests'], version: 'v1.0.0', environment: 'production', reason: 'go' };
  world.issuer.claims = { environment: 'production' };
  await keepResult('promote preview', requireSuccess(await world.run('promote', { ...promotion, 'dry-run': 'true' })));
  await keepResult(
    'promote that failed',
    await world.run('promote', { ...promotion, from: `web=sha256:${'a'.repeat(64)}` }),
  );
  const promoted = requireSuccess(await world.run('promote', promotion));
  await keepResult('promote', promoted);
  const record: { predicate: unknown } = JSON.parse(await readFile(promoted.outputs['record-path'] ?? '', 'utf8'));
  results.push(['promotion record', 'promotion-v1.schema.json', record.predicate]);
});
afterAll(() => world.close());

describe('results of a real run', () => {
  it.each([
    'render',
    'render that failed',
    'package',
    'sign',
    'push',
    'promote preview',
    'promote that failed',
    'promote',
    'promotion record',
  ])('are what the published schema says: %s', (name) => {
    const [, schema = '', json] = results.find(([found]) => found === name) ?? [];
    const valid = validator(schema);
    valid(json);
    expect(valid.errors).toBeNull();
  });

  it('are refused by the schema with a field more, or one less', () => {
    for (const [, schema, json] of results) {
      const valid = validator(schema);
      const { schema: _version, ...less } = Object(json);
      expect(valid({ ...Object(json), surprise: true })).toBe(false);
      expect(valid(less)).toBe(false);
    }
  });

  it('tell a reader in which step something failed, and why', () => {
    const failed = results.filter(([name]) => name.endsWith('failed')).map(([, , json]) => json);
    expect(failed).toMatchObject([
      { components: [{ name: 'broken', status: 'failed', error: { code: 'RENDER_FAILED' } }] },
      { cells: [{ component: 'web', status: 'failed', error: { code: 'NOT_PUBLISHED' } }] },
    ]);
    expect(JSON.stringify(failed)).not.toContain('docs/errors.md');
  });
});

it.each([...schemas().keys()])('docs/schemas/%s is generated from the code', (file) => {
  expect(read(`docs/schemas/${file}`)).toBe(schemas().get(file));
});
