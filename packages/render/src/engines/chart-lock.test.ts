import { describe, expect, it } from 'vitest';
import { problemOf } from '../fixtures.ts';
import { lockDigest, readChartDependencies, requireFrozenLock } from './chart-lock.ts';

const CHART = `
apiVersion: v2
name: web
version: 1.0.0
dependencies:
  - alias: cache
    name: redis
    version: ">=1.0.0 <2 & x"
    repository: https://charts.example/stable
    condition: redis.enabled
    tags: [cache]
    enabled: true
    import-values: [data, {parent: a, child: b}]
  - name: common
    version: 1.2
    repository:
`;
const LOCKED = [
  { name: 'redis', version: '1.9.0', repository: 'https://charts.example/stable' },
  { name: 'common', version: '1.2', repository: '' },
];
/** As Go's encoding/json and crypto/sha256 give it for Helm's own struct. */
const DIGEST = 'sha256:358036d339e6f62f3c8399f903bba4f4dd0317e491d19c312ab6e4e853388817';
const LOCK = `dependencies: ${JSON.stringify(LOCKED)}\ndigest: ${DIGEST}\ngenerated: "2026-01-01T00:00:00Z"\n`;

describe('Chart.lock', () => {
  it('has the digest that Helm computes', () => {
    expect(lockDigest(readChartDependencies('Chart.yaml', CHART), LOCKED)).toBe(DIGEST);
  });

  it('is taken when it belongs to Chart.yaml', () => {
    expect(requireFrozenLock('web', readChartDependencies('Chart.yaml', CHART), LOCK)).toEqual(LOCKED);
  });

  it.each([
    ['absent', CHART, undefined, 'CHART_LOCK_MISSING'],
    ['older than a changed range', CHART.replace('<2', '<3'), LOCK, 'CHART_LOCK_STALE'],
    ['edited by hand', CHART, LOCK.replace('1.9.0', '1.9.1'), 'CHART_LOCK_STALE'],
    ['without digest', CHART, 'dependencies: []\n', 'CHART_INVALID'],
    ['by alias', CHART.replace('https://charts.example/stable', '"@stable"'), LOCK, 'CHART_REPOSITORY_ALIAS'],
  ])('%s is refused', async (_name, chart, lock, code) => {
    const work = () => requireFrozenLock('web', readChartDependencies('Chart.yaml', chart), lock);
    expect(await problemOf(work)).toMatchObject({ code });
  });

  it('is not asked for without dependencies', () => {
    expect(readChartDependencies('Chart.yaml', 'name: web\ndependencies:\n')).toEqual([]);
  });
});
