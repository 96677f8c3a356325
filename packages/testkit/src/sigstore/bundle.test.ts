import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SigstoreOptions } from './server.ts';
import { entryRequest, IDENTITY, startStack } from './test-client.ts';

type Stack = Awaited<ReturnType<typeof startStack>>;
let stack: Stack;

beforeEach(async () => {
  stack = await startStack();
});
afterEach(() => stack.close());

async function restart(options: Omit<SigstoreOptions, 'issuer'>): Promise<void> {
  await stack.close();
  stack = await startStack(options);
}

async function signedBundle({ signStatement, createEntry, bundleJson }: Stack = stack): Promise<unknown> {
  const signed = await signStatement();
  const response = await createEntry(entryRequest(signed));
  expect(response.status).toBe(201);
  return bundleJson(signed, [await response.json()]);
}

function verify(bundle: unknown, { tlogThreshold = 1, trustedRoot = stack.sigstore.trustedRoot } = {}) {
  const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(trustedRoot)));
  const thresholds = { tlogThreshold, ctlogThreshold: 1, timestampThreshold: 1 };
  return new Verifier(trust, thresholds).verify(toSignedEntity(bundleFromJSON(bundle)), {
    subjectAlternativeName: new RegExp(`^${IDENTITY.replaceAll('.', '\\.')}$`),
    extensions: { issuer: stack.issuer.url },
  });
}

describe('a bundle made with the embedded servers', () => {
  it('is accepted by @sigstore/verify, at every size of the log', async () => {
    for (let count = 0; count < 9; count += 1) {
      const bundle = await signedBundle();
      expect(() => verify(bundle)).not.toThrow();
    }
  });

  it('is accepted with a standing clock that is not on a whole second', async () => {
    const now = new Date(Math.floor(Date.now() / 1000) * 1000 + 120);
    await restart({ now: () => now });
    const bundle = await signedBundle();
    expect(() => verify(bundle)).not.toThrow();
  });

  it.each(['tlogs', 'ctlogs', 'certificateAuthorities', 'timestampAuthorities'])(
    'is refused with a trusted root that has no %s',
    async (member) => {
      const bundle = await signedBundle();
      const trustedRoot = JSON.stringify({ ...JSON.parse(stack.sigstore.trustedRoot), [member]: [] });
      expect(() => verify(bundle)).not.toThrow();
      expect(() => verify(bundle, { trustedRoot })).toThrow();
    },
  );

  it('is refused once its certificate was not valid at the time of the timestamp', async () => {
    let now = new Date();
    await restart({ now: () => now, certificateLifetimeSeconds: 60 });
    const signed = await stack.signStatement();
    const entry = await (await stack.createEntry(entryRequest(signed))).json();
    now = new Date(now.getTime() + 61_000);
    const bundle = await stack.bundleJson(signed, [entry]);
    expect(() => verify(bundle)).toThrow('Failed to verify certificate chain');
  });

  it.each([
    [{ wrongSct: true }, 'SCT verification failed'],
    [{ wrongInclusionProof: true }, 'calculated root hash does not match inclusion proof'],
    [{ wrongTimestamp: true }, 'timestamp could not be verified'],
  ])('is refused when the servers misbehave: %o', async (misbehaviour, message) => {
    await restart(misbehaviour);
    const bundle = await signedBundle();
    expect(() => verify(bundle)).toThrow(message);
  });

  it('is refused, by the log and by the verifier, when the certificate is for another key', async () => {
    stack.sigstore.misbehaviour.certificateForOtherKey = true;
    const signed = await stack.signStatement();
    expect((await stack.createEntry(entryRequest(signed))).status).toBe(400);
    const bundle = await stack.bundleJson(signed, []);
    expect(() => verify(bundle, { tlogThreshold: 0 })).toThrow('signature verification failed');
  });

  it('is right again once the misbehaviour ends: the log itself was never wrong', async () => {
    stack.sigstore.misbehaviour.wrongInclusionProof = true;
    await signedBundle();
    stack.sigstore.misbehaviour.wrongInclusionProof = false;
    const bundle = await signedBundle();
    expect(() => verify(bundle)).not.toThrow();
  });
});
