import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireSuccess, startWorld, type World } from './support.ts';

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example.test/web:1.0.0
`;

describe('one component from a directory to production', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({
      files: { 'deploy/staging/web.yaml': DEPLOYMENT, 'deploy/production/web.yaml': DEPLOYMENT },
    });
  });
  afterAll(() => world.close());

  it('ships and promotes', async () => {
    const packaged = requireSuccess(await world.run('package', { name: 'web', path: 'deploy' }));
    const signed = requireSuccess(await world.run('sign'));
    expect(signed.outputs['identity']).toBe('https://github.com/acme/shop/.github/workflows/ship.yml@refs/heads/main');
    const pushed = requireSuccess(await world.run('push'));
    expect(pushed.outputs['digest']).toBe(packaged.outputs['digest']);
    const promoted = requireSuccess(
      await world.run('promote', {
        from: pushed.outputs['digest'],
        repository: undefined,
        components: 'web',
        version: 'v1.0.0',
      }),
    );
    expect(promoted.outputs['promoted']).toBe('true');
    expect([...world.registry.tags('acme/web')].map(([tag]) => tag)).toContain('stable');
  });
});
