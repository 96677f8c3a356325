import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startIssuer, type TestIssuer } from '@gitless/testkit';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIENCE, SHIPPER } from '../actions/support.ts';
import { toolFile } from './build-tools.ts';
import { extensionsOf, textOf } from './certificate-extensions.ts';
import {
  createJob,
  type Job,
  PROMOTING_WORKFLOW,
  promote,
  requireAccepted,
  runPeer,
  type Shipped,
  ship,
} from './job.ts';
import { createState, type ServerState } from './servers/process.ts';
import { type RegistryServer, startReferrersRegistry } from './servers/registry.ts';
import { type SigstoreServers, startSigstoreServers } from './servers/sigstore.ts';

const FULCIO = '1.3.6.1.4.1.57264.1';
/** The testkit's claims for a push to main by acme/shop's ship.yml, as Fulcio's `docs/oid-info.md` says that they appear. */
const SHA = '8f1c2d3e4a5b69788796a5b4c3d2e1f00f1e2d3c';
const SHIPPED_AS: Readonly<Record<number, string>> = {
  2: 'push',
  3: SHA,
  4: 'ship',
  5: 'acme/shop',
  6: 'refs/heads/main',
  9: SHIPPER.identity,
  10: SHA,
  11: 'github-hosted',
  12: 'https://github.com/acme/shop',
  13: SHA,
  14: 'refs/heads/main',
  15: '814729135',
  16: 'https://github.com/acme',
  17: '9919',
  18: SHIPPER.identity,
  19: SHA,
  20: 'push',
  21: 'https://github.com/acme/shop/actions/runs/18012345678/attempts/1',
  22: 'private',
  24: 'repo:acme/shop:ref:refs/heads/main',
};

describe('the five actions with the real Fulcio, CT log, Rekor v2 and timestamp authority', () => {
  let state: ServerState;
  let issuer: TestIssuer;
  let sigstore: SigstoreServers;
  let registry: RegistryServer;
  let job: Job;
  let shipped: Shipped;
  beforeAll(async () => {
    state = await createState('sigstore');
    issuer = await startIssuer();
    sigstore = await startSigstoreServers(state, { issuer, audience: AUDIENCE });
    registry = await startReferrersRegistry(state);
    job = await createJob(state, { issuer, sigstore, registry });
  });
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures are wanted
  afterAll(async ({}, suite) => {
    await registry?.stop();
    await sigstore?.stop();
    await issuer?.close();
    await state?.close(suite);
  });

  /** What a piece of work cost. */
  async function cost<T>(
    work: () => Promise<T>,
  ): Promise<{ result: T; certificates: number; entries: number; tokens: number }> {
    const before = [await sigstore.certificates(), await sigstore.logSize(), issuer.issuedTokens.length] as const;
    const result = await work();
    return {
      result,
      certificates: (await sigstore.certificates()) - before[0],
      entries: (await sigstore.logSize()) - before[1],
      tokens: issuer.issuedTokens.length - before[2],
    };
  }

  it('ship with one token, one certificate and one log entry a statement', async () => {
    const { result, ...counted } = await cost(() => ship(job));
    shipped = result;
    expect(counted).toEqual({ tokens: 1, certificates: 1, entries: 4 });
  });

  it('promote with one token, one certificate and two log entries', async () => {
    const target = { version: 'v1.0.0', 'to-registry': `${registry.host}/production`, environment: 'production' };
    issuer.claims = { environment: 'production' };
    const from = `web=${shipped.digest}`;
    const { result: _summary, ...counted } = await cost(() => promote(job, issuer, { ...target, from }));
    issuer.claims = {};
    expect(counted).toEqual({ tokens: 1, certificates: 1, entries: 2 });
  });

  it('sign nothing again in a second attempt', async () => {
    const { result, ...counted } = await cost(() => job.run('sign', {}, { env: { GITHUB_RUN_ATTEMPT: '2' } }));
    expect(result.exitCode).toBe(0);
    expect(counted).toMatchObject({ certificates: 1, entries: 0 });
  });

  it('are certified as the workflow that ran', async () => {
    const certificate = await certificateIn(shipped.bundle);
    expect(certificate.subjectAltName).toBe(`URI:${SHIPPER.identity}`);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.3']);
    expect(certificate.validToDate.getTime() - certificate.validFromDate.getTime()).toBe(600_000);
    const expected = { ...SHIPPED_AS, 1: issuer.url, 8: issuer.url };
    expect(fulcioExtensions(certificate)).toEqual(expected);
  });

  it('are certified in a reusable workflow as that one, for the repository that called it, in its environment', async () => {
    const workflow = 'acme/ci/.github/workflows/ship.yml@refs/tags/v1';
    issuer.claims = { job_workflow_ref: workflow, job_workflow_sha: 'f'.repeat(40), environment: 'production' };
    const called = await createJob(state, { issuer, sigstore, registry });
    await called.run('package', { name: 'web', path: 'deploy' });
    const signed = await called.run('sign', { 'shared-identity': 'true' });
    issuer.claims = {};
    expect([signed.exitCode, signed.outputs['identity']]).toEqual([0, `https://github.com/${workflow}`]);
    expect(fulcioExtensions(await certificateIn(signed.outputs['bundle-path'] ?? ''))).toEqual({
      ...SHIPPED_AS,
      1: issuer.url,
      8: issuer.url,
      9: `https://github.com/${workflow}`,
      10: 'f'.repeat(40),
      23: 'production',
      24: 'repo:acme/shop:environment:production',
    });
  });

  it('write a bundle that sigstore-python verifies', async () => {
    const crane = await toolFile('crane', 'go-containerregistry');
    const manifest = join(state.folder, 'manifest.json');
    const reference = `${registry.host}/acme/web@${shipped.digest}`;
    await writeFile(manifest, requireAccepted(await runPeer(state, crane, ['manifest', reference])));
    const config = join(state.folder, 'trust-config.json');
    const members = {
      trustedRoot: JSON.parse(sigstore.trustedRoot),
      signingConfig: JSON.parse(sigstore.signingConfig),
    };
    const mediaType = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json';
    await writeFile(config, JSON.stringify({ mediaType, ...members }));
    const python = await toolFile('bin/python', 'sigstore-python');
    const verify = (file: string, signer: string) =>
      runPeer(state, python, [
        ...['-m', 'sigstore', '--trust-config', config, 'verify', 'identity', '--bundle', shipped.bundle],
        ...['--cert-identity', signer, '--cert-oidc-issuer', issuer.url, file],
      ]);
    requireAccepted(await verify(manifest, SHIPPER.identity));
    const promoter = `https://github.com/${PROMOTING_WORKFLOW}`;
    const refused = [await verify(manifest, promoter), await verify(config, SHIPPER.identity)];
    expect(refused.map(({ exitCode }) => exitCode)).toEqual([1, 1]);
  });

  it.each([
    ['has expired', { lifetimeSeconds: -60 }, {}, ['error processing the identity token', 'expired at', '60 s ago']],
    [
      'is for another audience',
      {},
      { 'oidc-audience': 'registry' },
      ['identity token', 'audience registry', 'oidc-audience'],
    ],
    [
      'lacks a claim',
      { claims: { repository_visibility: undefined } },
      {},
      ['value <repository_visibility> not present in either claims or defaults'],
    ],
    [
      'lacks a claim inside a text',
      { claims: { run_attempt: undefined } },
      {},
      ['map has no entry for key "run_attempt"'],
    ],
  ])('are refused a certificate when the token %s, and say why', async (_what, change, inputs, says) => {
    const refused = await createJob(state, { issuer, sigstore, registry });
    await refused.run('package', { name: 'web', path: 'deploy' });
    Object.assign(issuer, change);
    const { result: run, ...counted } = await cost(() => refused.run('sign', inputs));
    Object.assign(issuer, { lifetimeSeconds: 300, claims: {} });
    expect(run.exitCode).toBe(1);
    expect(counted).toEqual({ tokens: 1, certificates: 0, entries: 0 });
    for (const text of ['Fulcio answered 400', '[FULCIO_REFUSED]', ...says]) {
      expect(run.log).toContain(text);
    }
    expect(run.log).not.toContain(issuer.issuedTokens.at(-1));
  });
});

const BundleSchema = v.object({
  verificationMaterial: v.object({ certificate: v.object({ rawBytes: v.string() }) }),
});

async function certificateIn(bundle: string): Promise<X509Certificate> {
  const { verificationMaterial } = v.parse(BundleSchema, JSON.parse(await readFile(bundle, 'utf8')));
  return new X509Certificate(Buffer.from(verificationMaterial.certificate.rawBytes, 'base64'));
}

/** Fulcio's extensions by their last arc; 1.1 to 1.6 are bare text, the newer ones a UTF8String. */
function fulcioExtensions({ raw }: X509Certificate): Record<number, string> {
  return Object.fromEntries(
    extensionsOf(raw)
      .filter(({ oid }) => oid.startsWith(`${FULCIO}.`))
      .map(({ oid, value }) => {
        const arc = Number(oid.slice(FULCIO.length + 1));
        return [arc, arc < 7 ? value.toString() : textOf(value)];
      }),
  );
}
