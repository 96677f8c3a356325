import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, listAt, storedManifest, textAt } from './raw.ts';
import { type ShippedWorld, startShippedWorld } from './refusal.ts';
import { requireSuccess } from './support.ts';

let world: ShippedWorld;
beforeAll(async () => {
  world = await startShippedWorld();
});
afterAll(() => world.close());

describe('a branch whose name is shell', () => {
  it('is one argument of the command that the summary gives', async () => {
    const ref = "refs/heads/release/x';id>pwned;'`id`$(id)";
    const subject = `acme/shop/.github/workflows/ship.yml@${ref}`;
    const identity = `https://github.com/${subject}`;
    world.issuer.claims = { ref, workflow_ref: subject, job_workflow_ref: subject };
    const env = { GITHUB_REF: ref, GITHUB_WORKFLOW_REF: subject };
    const temp = await world.tempBefore('sign');
    const allowed = { 'allow-refs': 'refs/heads/release/*' };
    const signed = requireSuccess(await world.run('sign', allowed, { env, temp }));
    world.issuer.claims = {};
    const own = { tags: 'next', identity: signed.outputs['identity'] ?? '', issuer: world.issuer.url };
    const run = requireSuccess(
      await world.run('push', { ...allowed, ...own, registry: `${world.registry.host}/branch` }, { env, temp }),
    );
    const command = /^cosign verify [\s\S]*?\n```/m.exec(run.summary)?.[0].replace(/\n`+$/, '') ?? '';
    const script = `cosign() { printf '%s\\n' "$@"; }\n${command}`;
    const args = execFileSync('sh', ['-c', script], { encoding: 'utf8', cwd: temp }).split('\n');
    expect(args[args.indexOf('--certificate-identity') + 1]).toBe(identity);
    expect(args[args.indexOf('--certificate-oidc-issuer') + 1]).toBe(world.issuer.url);
  });
});

describe('a registry that lost the content of a manifest that it still holds', () => {
  it('gets it again before a tag names it', async () => {
    const manifest = json(storedManifest(world.registry, 'acme/web', world.digest).bytes);
    const [layer] = listAt(manifest, 'layers');
    const lost = `/v2/acme/web/blobs/${textAt(layer, 'digest')}`;
    const from = world.registry.requests.length;
    world.registry.onRequest = ({ method, path }) =>
      method === 'HEAD' && path === lost ? { kind: 'status', status: 404 } : undefined;
    requireSuccess(await world.run('push', {}, { temp: await world.tempBefore('push') }));
    world.registry.onRequest = undefined;
    const uploads = world.registry.requests.slice(from).filter(({ method }) => method === 'PUT');
    expect(uploads.map(({ path }) => decodeURIComponent(path))).toEqual([
      expect.stringContaining(textAt(layer, 'digest')),
    ]);
  });
});
