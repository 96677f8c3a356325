import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { startIssuer, type TestIssuer } from '@gitless/testkit';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIENCE, SHIPPER } from '../actions/support.ts';
import { toolFile } from './build-tools.ts';
import { createJob, type PeerResult, promote, requireAccepted, runPeer, type Shipped, ship } from './job.ts';
import { createState, type ServerState } from './servers/process.ts';
import { type RegistryServer, startDistribution, startReferrersRegistry } from './servers/registry.ts';
import { type SigstoreServers, startSigstoreServers } from './servers/sigstore.ts';

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const PROMOTER = 'https://github.com/acme/shop/.github/workflows/promote.yml@refs/heads/main';
/** What each side attests; `web` is where it was shipped to, `production/web` where it was promoted to. */
const ATTESTED = [
  { type: 'https://slsa.dev/provenance/v1', repository: 'acme/web', signer: SHIPPER.identity },
  { type: 'https://cyclonedx.org/bom', repository: 'acme/web', signer: SHIPPER.identity },
  { type: 'https://in-toto.io/attestation/test-result/v0.1', repository: 'acme/web', signer: SHIPPER.identity },
  { type: 'https://slsa.dev/provenance/v1', repository: 'production/web', signer: SHIPPER.identity },
  { type: 'https://cyclonedx.org/bom', repository: 'production/web', signer: SHIPPER.identity },
  { type: 'https://gitless.dev/attestations/promotion/v1', repository: 'production/web', signer: PROMOTER },
];

let state: ServerState;
let issuer: TestIssuer;
let sigstore: SigstoreServers;
beforeAll(async () => {
  state = await createState('cosign');
  issuer = await startIssuer();
  sigstore = await startSigstoreServers(state, { issuer, audience: AUDIENCE });
});
// biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
afterAll(async ({}, suite) => {
  await sigstore?.stop();
  await issuer?.close();
  await state?.close(suite);
});

const REGISTRIES: readonly [string, (state: ServerState) => Promise<RegistryServer>][] = [
  ['a registry without the referrers API', startDistribution],
  ['a registry with the referrers API', startReferrersRegistry],
];

describe.each(REGISTRIES)('what the actions shipped and promoted in %s', (_name, start) => {
  let registry: RegistryServer;
  let shipped: Shipped;
  let trustedRoot: string;
  beforeAll(async () => {
    registry = await start(state);
    const job = await createJob(state, { issuer, sigstore, registry });
    trustedRoot = job.trustedRoot;
    shipped = await ship(job);
    const target = { version: 'v1.0.0', 'to-registry': `${registry.host}/production` };
    await promote(job, issuer, { ...target, from: `web=${shipped.digest}` });
  });
  afterAll(() => registry?.stop());

  const at = (repository: string, digest = shipped.digest) => `${registry.host}/${repository}@${digest}`;

  async function cosign(command: string, args: readonly string[], family = 'sigstore'): Promise<PeerResult> {
    return runPeer(state, await toolFile('cosign', family), [command, ...args]);
  }

  /** What cosign must be told to accept somebody. */
  function by(signer: string, { root = trustedRoot, issuerUrl = issuer.url } = {}): string[] {
    return ['--trusted-root', root, '--certificate-identity', signer, '--certificate-oidc-issuer', issuerUrl];
  }

  async function oras(...args: readonly string[]): Promise<string> {
    return requireAccepted(await runPeer(state, await toolFile('oras'), args, { cwd: state.folder }));
  }

  async function crane(...args: readonly string[]): Promise<string> {
    return requireAccepted(await runPeer(state, await toolFile('crane', 'go-containerregistry'), args));
  }

  /** Lets the shipped bundle say that it is about another artifact. */
  async function attachShippedBundle(reference: string): Promise<void> {
    await writeFile(join(state.folder, basename(shipped.bundle)), await readFile(shipped.bundle));
    await oras('attach', '--plain-http', '--artifact-type', BUNDLE, reference, `${basename(shipped.bundle)}:${BUNDLE}`);
  }

  it.each([
    ['acme/web', SHIPPER.identity],
    ['production/web', SHIPPER.identity],
    ['production/web', PROMOTER],
  ])('is verified by cosign in %s as signed by %s, against either root', async (repository, signer) => {
    for (const root of [trustedRoot, shipped.fluxTrustedRoot]) {
      const printed = requireAccepted(await cosign('verify', [...by(signer, { root }), at(repository)]));
      expect(digestsIn(printed)).toEqual([shipped.digest]);
    }
  });

  it.each(ATTESTED)('is attested with $type in $repository', async ({ type, repository, signer }) => {
    const printed = requireAccepted(
      await cosign('verify-attestation', ['--type', type, ...by(signer), at(repository)]),
    );
    expect(statementsIn(printed)).toEqual([{ predicateType: type, sha256: [shipped.digest.slice('sha256:'.length)] }]);
  });

  it.each([
    ['3', 'sigstore'],
    ['2.6', 'cosign-v2'],
  ])('is verified by the command that push prints, as it is printed, with cosign %s', async (_version, family) => {
    const [command = ''] = /^cosign verify [^`]*/m.exec(shipped.summary) ?? [];
    const folder = dirname(await toolFile('cosign', family));
    const result = await runPeer(state, '/bin/sh', ['-c', command], {
      cwd: dirname(shipped.fluxTrustedRoot),
      env: { PATH: `${folder}:${state.env['PATH']}` },
    });
    expect(digestsIn(requireAccepted(result))).toEqual([shipped.digest]);
  });

  it('is read by cosign 2.6 when told to take the time from timestamps', async () => {
    const args = [...by(SHIPPER.identity), at('acme/web')];
    const old = (command: string, ...more: string[]) => cosign(command, [...more, ...args], 'cosign-v2');
    const [provenance] = ATTESTED;
    const type = ['--type', provenance?.type ?? ''];
    expect(statementsIn(requireAccepted(await old('verify-attestation', '--use-signed-timestamps', ...type)))).toEqual([
      { predicateType: provenance?.type, sha256: [shipped.digest.slice('sha256:'.length)] },
    ]);
    const { exitCode, stderr } = await old('verify');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('verified log entry integrated timestamps: 0 < 1');
    const someoneElse = [...by(PROMOTER), at('acme/web')];
    const refused = await cosign('verify', ['--use-signed-timestamps', ...someoneElse], 'cosign-v2');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('expected SAN value');
  });

  it('is refused for another identity, another issuer, and a statement that nobody made', async () => {
    const other = `${SHIPPER.identity}x`;
    const foreign = by(SHIPPER.identity, { issuerUrl: 'https://token.actions.githubusercontent.com' });
    const refused = [
      await cosign('verify', [...by(other), at('acme/web')]),
      await cosign('verify', [...by(PROMOTER), at('acme/web')]),
      await cosign('verify', [...foreign, at('acme/web')]),
      await cosign('verify-attestation', ['--type', ATTESTED[0]?.type ?? '', ...by(other), at('acme/web')]),
      await cosign('verify-attestation', [
        '--type',
        'https://example.test/v1',
        ...by(SHIPPER.identity),
        at('acme/web'),
      ]),
    ];
    expect(refused.map(({ exitCode }) => exitCode)).not.toContain(0);
    expect(refused[0]?.stderr).toContain('expected SAN value');
    expect(refused[2]?.stderr).toContain('expected issuer value');
  });

  it('is refused when no log, no CT log, no authority of the root is the one that signed', async () => {
    const root: Record<string, unknown> = v.parse(v.record(v.string(), v.unknown()), JSON.parse(sigstore.trustedRoot));
    for (const member of ['tlogs', 'ctlogs', 'certificateAuthorities', 'timestampAuthorities']) {
      const path = join(state.folder, `root-without-${member}.json`);
      await writeFile(path, JSON.stringify({ ...root, [member]: [] }));
      const { exitCode } = await cosign('verify', [...by(SHIPPER.identity, { root: path }), at('acme/web')]);
      expect([member, exitCode]).not.toEqual([member, 0]);
    }
  });

  it('is verified wherever artifact and bundle are attached again, and nowhere else', async () => {
    const verify = async (reference: string) => cosign('verify', [...by(SHIPPER.identity), reference]);
    await crane('copy', at('acme/web'), `${registry.host}/again/web:copied`);
    expect((await verify(at('again/web'))).stderr).toContain('no signatures found');
    await attachShippedBundle(at('again/web'));
    expect(digestsIn(requireAccepted(await verify(at('again/web'))))).toEqual([shipped.digest]);

    await crane(
      'mutate',
      '--annotation',
      'tampered=yes',
      '--tag',
      `${registry.host}/again/web:tampered`,
      at('acme/web'),
    );
    const tampered = at('again/web', (await crane('digest', `${registry.host}/again/web:tampered`)).trim());
    await writeFile(join(state.folder, 'other.yaml'), 'kind: Other\n');
    await oras('push', '--plain-http', `${registry.host}/again/other:1`, 'other.yaml:application/yaml');
    const other = at('again/other', (await crane('digest', `${registry.host}/again/other:1`)).trim());
    for (const reference of [tampered, other]) {
      await attachShippedBundle(reference);
      const { exitCode, stderr } = await verify(reference);
      expect(exitCode).not.toBe(0);
      expect(stderr).toContain('digest');
    }
  });

  it('is verified after oras cp -r to another repository', async () => {
    await oras(
      'cp',
      '-r',
      '--from-plain-http',
      '--to-plain-http',
      at('production/web'),
      `${registry.host}/mirror/web:1`,
    );
    for (const signer of [SHIPPER.identity, PROMOTER]) {
      requireAccepted(await cosign('verify', [...by(signer), at('mirror/web')]));
    }
  });
});

const VerifiedSchema = v.array(
  v.object({ critical: v.object({ image: v.object({ 'docker-manifest-digest': v.string() }) }) }),
);

/** The artifacts that `cosign verify` says it verified, each once. */
function digestsIn(printed: string): string[] {
  const verified = v.parse(VerifiedSchema, JSON.parse(printed));
  return [...new Set(verified.map(({ critical }) => critical.image['docker-manifest-digest']))];
}

const StatementSchema = v.object({
  predicateType: v.string(),
  subject: v.array(v.object({ digest: v.object({ sha256: v.string() }) })),
});

/** The statements that `cosign verify-attestation` gives out: one envelope a line. */
function statementsIn(printed: string) {
  return printed
    .trim()
    .split('\n')
    .map((line) => {
      const { payload } = v.parse(v.object({ payload: v.string() }), JSON.parse(line));
      const statement = v.parse(StatementSchema, JSON.parse(Buffer.from(payload, 'base64').toString()));
      return {
        predicateType: statement.predicateType,
        sha256: statement.subject.map(({ digest }) => digest.sha256),
      };
    });
}
