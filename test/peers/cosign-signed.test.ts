import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, createHttpClient, DEFAULT_HTTP_SETTINGS, parseDigest, silentLogger } from '@gitless/core';
import { createRegistryClient, parseManifest } from '@gitless/oci';
import { parseTrustedRoot, verifyBundle } from '@gitless/signing';
import { startIssuer, type TestIssuer } from '@gitless/testkit';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIENCE, SHIPPER } from '../actions/support.ts';
import { toolFile } from './build-tools.ts';
import { requireAccepted, runPeer } from './job.ts';
import { createState, type ServerState } from './servers/process.ts';
import { type RegistryServer, startDistribution, startReferrersRegistry } from './servers/registry.ts';
import { type SigstoreServers, startSigstoreServers } from './servers/sigstore.ts';

const PREDICATE_TYPE = 'https://example.test/review/v1';
const SIGNATURE = 'https://sigstore.dev/cosign/sign/v1';

let state: ServerState;
let issuer: TestIssuer;
let sigstore: SigstoreServers;
beforeAll(async () => {
  state = await createState('cosign-signed');
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

/** The signing config of each log; Rekor v1 vouches for the time itself, so it can do without a timestamp authority. */
const LOGS: readonly [string, () => string][] = [
  ['Rekor v2', () => sigstore.signingConfig],
  ['Rekor v1', () => sigstore.signingConfigV1],
  ['Rekor v1 without timestamps', () => JSON.stringify({ ...parseObject(sigstore.signingConfigV1), tsaUrls: [] })],
];

describe.each(REGISTRIES)('what cosign signs in %s', (_name, start) => {
  let registry: RegistryServer;
  beforeAll(async () => {
    registry = await start(state);
  });
  afterAll(() => registry?.stop());

  async function oras(...args: readonly string[]): Promise<string> {
    return requireAccepted(await runPeer(state, await toolFile('oras'), args));
  }

  /** Signs an artifact and attests something about it, with this signing config. Returns its digest. */
  async function signWithCosign(repository: string, signingConfig: string): Promise<string> {
    await writeFile(join(state.folder, 'content.yaml'), `kind: Content\nof: ${repository}\n`);
    const template = ['--format', 'go-template', '--template', '{{.digest}}'];
    const reference = `${registry.host}/${repository}`;
    const digest = await oras('push', '--plain-http', ...template, `${reference}:1`, 'content.yaml:application/yaml');
    await Promise.all([
      writeFile(join(state.folder, 'signing-config.json'), signingConfig),
      writeFile(join(state.folder, 'root.json'), sigstore.trustedRoot),
      writeFile(join(state.folder, 'predicate.json'), '{"reviewed":true}'),
    ]);
    const how = ['--yes', '--signing-config', 'signing-config.json', '--trusted-root', 'root.json'];
    const cosign = await toolFile('cosign', 'sigstore');
    for (const command of [['sign'], ['attest', '--type', PREDICATE_TYPE, '--predicate', 'predicate.json']]) {
      await writeFile(join(state.folder, 'token'), await mintToken());
      requireAccepted(
        await runPeer(state, cosign, [...command, ...how, '--identity-token', 'token', `${reference}@${digest}`]),
      );
    }
    return digest;
  }

  /** What our registry client finds and our verifier says about it: the predicate types that it accepts. */
  async function accepted(repository: string, digest: string, trustedRoot: string): Promise<string[]> {
    const client = createRegistryClient(context, {
      registry: registry.host,
      credentials: { kind: 'anonymous' },
      plainHttp: true,
    });
    const subject = parseDigest('digest', digest);
    const root = parseTrustedRoot(Buffer.from(trustedRoot), 'root.json');
    const expected = { digest: subject, issuer: issuer.url, subject: SHIPPER.identity };
    const found: string[] = [];
    for (const referrer of await client.listReferrers(repository, subject)) {
      const manifest = await client.getManifest(repository, referrer.digest);
      const [layer] = parseManifest(manifest?.bytes ?? Buffer.alloc(0), 'a referrer').layers;
      if (layer === undefined) {
        throw new Error(`${referrer.digest} has no layer`);
      }
      const bundle = await client.getBlob(repository, layer);
      const { statement, signedAt } = verifyBundle(root, bundle, {
        ...expected,
        sourceRepository: 'https://github.com/acme/shop',
      });
      expect(Math.abs(Date.now() - signedAt.getTime())).toBeLessThan(60_000);
      expect(() => verifyBundle(root, bundle, { ...expected, subject: `${SHIPPER.identity}x` })).toThrow();
      found.push(statement.predicateType);
    }
    return found.sort();
  }

  it.each(LOGS)('into %s is accepted by our verifier, also after oras cp -r', async (log, signingConfig) => {
    const name = log.toLowerCase().replaceAll(' ', '-');
    const digest = await signWithCosign(`acme/${name}`, signingConfig());
    expect(await accepted(`acme/${name}`, digest, sigstore.trustedRoot)).toEqual([PREDICATE_TYPE, SIGNATURE]);
    const [from, to] = [`${registry.host}/acme/${name}:1`, `${registry.host}/mirror/${name}:1`];
    await oras('cp', '-r', '--from-plain-http', '--to-plain-http', from, to);
    expect(await accepted(`mirror/${name}`, digest, sigstore.trustedRoot)).toEqual([PREDICATE_TYPE, SIGNATURE]);
    const root = parseObject(sigstore.trustedRoot);
    const otherLog = v
      .parse(v.array(v.looseObject({ baseUrl: v.string() })), root['tlogs'])
      .filter(({ baseUrl }) => baseUrl !== (log === 'Rekor v2' ? sigstore.rekorUrl : sigstore.rekorV1Url));
    await expect(accepted(`acme/${name}`, digest, JSON.stringify({ ...root, tlogs: otherLog }))).rejects.toThrow(
      'does not verify',
    );
  });
});

async function mintToken(): Promise<string> {
  const response = await fetch(`${issuer.tokenRequestUrl}&audience=${AUDIENCE}`, {
    headers: { authorization: `Bearer ${issuer.requestToken}` },
  });
  return v.parse(v.object({ value: v.string() }), await response.json()).value;
}

function parseObject(json: string): Record<string, unknown> {
  return v.parse(v.record(v.string(), v.unknown()), JSON.parse(json));
}

const signal = new AbortController().signal;
const context: Context = {
  env: {},
  log: silentLogger,
  http: createHttpClient(DEFAULT_HTTP_SETTINGS, { log: silentLogger, sleep: async () => undefined, signal }),
  exec: () => Promise.reject(new Error('runs nothing')),
  now: () => new Date(),
  sleep: async () => undefined,
  signal,
  mask: () => undefined,
};
