import type { Digest } from '@gitless/core';
import type { Engine } from './engine.ts';
import { type Evidence, type Signers, verifyReferrers } from './evidence.ts';
import { expect } from './expect.ts';
import { forgeCopy } from './forge.ts';
import type { Fact, Screen } from './screen.ts';
import { cellOf, digestOf, requireSuccess, resultOf } from './steps.ts';
import { trace } from './trace.ts';
import { AUDIENCE, type Job, type World } from './world.ts';

const WORKFLOWS = 'https://github.com/acme/shop/.github/workflows';
export const SHIPPER = `${WORKFLOWS}/ship.yml@refs/heads/main`;
const PROMOTER = `${WORKFLOWS}/promote.yml@refs/heads/main`;

const VERSION = 'v1.0.0';
const CHANNEL = 'stable';
const PRODUCTION = 'acme-production/web';

const SHIP_RUN = { workflow: 'ship', event: 'push', actor: 'octocat', runId: '16234567890' } as const;
const PROMOTE_RUN = { workflow: 'promote', event: 'workflow_dispatch', actor: 'hopper', runId: '16234571001' } as const;

/** What the steps need besides `gitless.yaml`. */
const LOOPBACK = { 'plain-http': 'true' };
const SIGNING = { 'oidc-audience': AUDIENCE };

export function showWorld(screen: Screen, world: World, engine: Engine): void {
  screen.heading('Services', 'on this machine only; nothing leaves it');
  screen.facts([
    ['registry', world.registry.host],
    ['OIDC issuer', world.issuerUrl],
    ['Sigstore', `${world.sigstoreUrl}  certificates, transparency log, timestamps`],
    ['checkout', `acme/shop, main, commit ${world.workspace.sha}`],
    ['web', engine.choice],
    ['policies', 'plain YAML'],
  ]);
}

/** Workflow ship.yml: one job renders and holds no token, the next packs, signs and pushes what it is handed. */
export async function ship(screen: Screen, world: World): Promise<void> {
  screen.heading('Ship', 'workflow ship.yml, on a push to main');
  const rendering = world.newJob({ ...SHIP_RUN, token: false });
  const shipping = world.newJob({ ...SHIP_RUN, token: true });

  const rendered = await screen.step('render', 'one file per Kubernetes object, in a job without a token', async () =>
    requireSuccess(await rendering.run('render')),
  );
  const { components, tools = [] } = resultOf(rendered);
  screen.facts([
    ...components.map(
      ({ name, engine = '', environments = [], files = [] }): Fact => [
        name,
        `${engine.padEnd(10)} ${environments.join(', ').padEnd(20)} ${files.length} files`,
      ],
    ),
    ...tools.flatMap(({ name, version, digest }): Fact[] => [
      // With kubectl the version is that of the kustomize inside (packages/render, tools.ts).
      ['tool', name === 'kubectl' ? `kustomize ${version} in kubectl` : `${name} ${version}`],
      ['', digest],
    ]),
  ]);

  const packaged = await screen.step('package', 'one Flux artifact per component, with its SBOM inside', async () => {
    const handover = {
      rendered: rendered.outputs['tar'] ?? '',
      'rendered-digest': rendered.outputs['tar-digest'] ?? '',
    };
    return requireSuccess(await shipping.run('package', handover));
  });
  screen.facts(resultOf(packaged).components.map(({ name, digest = '' }) => [name, digest]));

  const signed = await screen.step('sign', 'keyless, with the token of this job', async () =>
    requireSuccess(await shipping.run('sign', SIGNING)),
  );
  expect(signed.outputs['identity'] === SHIPPER, `sign signed as ${signed.outputs['identity']}`);
  screen.facts([
    ['identity', SHIPPER],
    ...resultOf(signed).components.map(
      ({ name, bundles = [] }): Fact => [
        name,
        `${bundles.length} statements, log index ${bundles.map(({ logIndex = '?' }) => logIndex).join(', ')}`,
      ],
    ),
  ]);

  const pushed = await screen.step('push', 'by digest, read back and verified; tags last', async () =>
    requireSuccess(await shipping.run('push', LOOPBACK)),
  );
  screen.facts(
    resultOf(pushed).components.flatMap(({ name, repository, digest, tags = [] }): Fact[] => [
      [name, `${repository}@${digest}`],
      ['', `tags ${tags.join(', ')}`],
    ]),
  );
}

/** Workflow promote.yml: the preview turns a tag into a digest, the gated job takes that digest. Returns it. */
export async function promote(screen: Screen, world: World): Promise<Digest> {
  screen.heading('Promote', 'workflow promote.yml, started by hand');
  const previewing = world.newJob({ ...PROMOTE_RUN, token: false });
  const writes = () => world.registry.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD').length;
  const before = writes();
  const preview = await screen.step(
    'promote (preview)',
    'what latest is, and what would change; writes nothing',
    async () => requireSuccess(await run(previewing, 'promote-preview', { from: 'web=latest', 'dry-run': 'true' })),
  );
  const planned = cellOf(preview);
  expect(planned.status === 'planned', `the preview says ${planned.status}`);
  expect(writes() === before, 'the preview wrote to the registry');
  const digest = digestOf(preview);
  screen.facts([
    ['web:latest', digest],
    ['would become', `${VERSION} and ${CHANNEL} in ${planned.repository}`],
    ['adds', `${planned.changes?.added.length ?? 0} objects`],
  ]);

  const gated = gatedJob(world);
  const promoted = await screen.step('promote (gated)', 'environment production, by digest', async () =>
    requireSuccess(await run(gated, 'promote', { from: `web=${digest}`, environment: 'production', ...SIGNING })),
  );
  const cell = cellOf(promoted);
  expect(cell.status === 'promoted' && cell.digest === digest, `the promotion says ${cell.status} ${cell.digest}`);
  const tags = world.registry.tags(PRODUCTION);
  expect(
    tags.get(VERSION) === digest && tags.get(CHANNEL) === digest,
    `${VERSION} and ${CHANNEL} do not both point to what was approved`,
  );
  screen.facts([
    ['web', `${cell.repository}@${cell.digest}`],
    ['tags', `${VERSION}, ${CHANNEL}`],
    ['identity', PROMOTER],
    ['before', cell.previousDigest ?? 'nothing: the first promotion'],
  ]);
  return digest;
}

/** A copy with one changed byte and all the genuine statements hung onto it must not get through. */
export async function refuseForgery(screen: Screen, world: World, digest: Digest): Promise<void> {
  screen.heading('Tamper', 'someone with write access to the registry tries to slip in another image');
  const before = JSON.stringify([...world.registry.tags(PRODUCTION)]);
  const [wanted, forged] = ['shop/web:1.4.2', 'shop/web:1.4.3'];
  const forgery = await screen.step('forge', 'copies web, changes one byte, attaches the genuine statements', () =>
    forgeCopy(world.registry, { from: 'acme/web', to: 'acme-forged/web', digest }, { wanted, forged }),
  );
  screen.facts([
    ['changed', `${wanted} to ${forged}`],
    ['copy', `acme-forged/web@${forgery.digest}`],
    ['attached', `${forgery.statements} genuine statements`],
  ]);
  const attempt = await screen.step('refuse', 'the same gated promotion, for the forged digest', () =>
    run(gatedJob(world), 'promote-forged', {
      from: `web=${forgery.digest}`,
      repository: `${world.registry.host}/acme-forged/web`,
      version: 'v1.0.1',
      environment: 'production',
      ...SIGNING,
    }),
  );
  const { status, error } = cellOf(attempt);
  expect(attempt.exitCode !== 0 && status === 'failed', `the forged copy was not refused: ${status}`);
  expect(error?.code === 'EVIDENCE_INCOMPLETE', `the forged copy was refused with ${error?.code}`);
  expect(before === JSON.stringify([...world.registry.tags(PRODUCTION)]), 'the tags of production have changed');
  screen.facts([
    ['code', error.code],
    ...error.message
      .split('\n')
      .slice(0, 6)
      .map((line): Fact => ['', shorten(line)]),
    ['production', `unchanged: ${CHANNEL} is ${digest}`],
  ]);
}

/** Reads back what proves the promotion. The services are stopped before, so that only the registry's content and the root remain. */
export async function showTrace(
  screen: Screen,
  world: World,
  digest: Digest,
): Promise<{ facts: Fact[]; evidence: Evidence[] }> {
  screen.heading('Trace', 'from the commit to the promotion');
  const signers: Signers = { issuer: world.issuerUrl, shipper: SHIPPER, promoter: PROMOTER };
  const { facts, evidence } = await screen.step(
    'verify',
    'all services stopped; against trusted_root.json only',
    async () => {
      await world.stopServices();
      const found = verifyReferrers(world.registry, { repository: PRODUCTION, digest }, world.trustedRoot, signers);
      const claimed = { sha: world.workspace.sha, version: VERSION, channel: CHANNEL };
      return { evidence: found, facts: trace({ registry: world.registry, digest, evidence: found, claimed }) };
    },
  );
  screen.facts(facts);
  return { facts, evidence };
}

function gatedJob(world: World): Job {
  return world.newJob({ ...PROMOTE_RUN, token: true, environment: 'production' });
}

function run(job: Job, name: string, inputs: Readonly<Record<string, string>>) {
  const common = { components: 'web', version: VERSION, channel: CHANNEL, reason: 'CHG-1042: new prices & limits' };
  return job.run('promote', { ...common, ...LOOPBACK, ...inputs }, name);
}

/** Twelve digits of a digest tell which it is; the whole is in the results. */
function shorten(line: string): string {
  return line.replaceAll(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…');
}
