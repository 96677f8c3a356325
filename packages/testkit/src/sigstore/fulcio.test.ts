import { generateKeyPairSync, type X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startIssuer } from '../oidc/issuer.ts';
import { certificates, IDENTITY, messageOf, newKey, postJson, requestCertificate, startStack } from './test-client.ts';

let stack: Awaited<ReturnType<typeof startStack>>;

beforeEach(async () => {
  stack = await startStack();
});
afterEach(() => stack.close());

async function restart(options: Parameters<typeof startStack>[0]): Promise<void> {
  await stack.close();
  stack = await startStack(options);
}

describe('Fulcio', () => {
  it('refuses an expired token, another audience, a stranger’s token and garbage', async () => {
    const { issuer, sigstore, token } = stack;
    issuer.lifetimeSeconds = -1;
    const expired = await token();
    issuer.lifetimeSeconds = 300;
    const stranger = await startIssuer();
    const theirs = await token('sigstore', stranger);
    await stranger.close();
    for (const jwt of [expired, await token('registry'), theirs, 'garbage', '']) {
      const response = await requestCertificate(sigstore, jwt);
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({
        code: 3,
        message: 'There was an error processing the identity token',
        details: [],
      });
    }
  });

  it('takes the audience that it is told', async () => {
    await restart({ audience: 'private-sigstore' });
    const { sigstore, token } = stack;
    expect((await requestCertificate(sigstore, await token())).status).toBe(400);
    expect((await requestCertificate(sigstore, await token('private-sigstore'))).status).toBe(200);
  });

  it('refuses a proof of possession over another subject or with another hash than the curve has, and no key', async () => {
    const { sigstore, token } = stack;
    const proof = await requestCertificate(sigstore, await token(), newKey(), 'repo:acme/other:ref:refs/heads/main');
    expect(proof.status).toBe(400);
    expect(await messageOf(proof)).toBe('The signature supplied in the request could not be verified');
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    expect(await messageOf(await requestCertificate(sigstore, await token(), p384))).toBe(
      'The signature supplied in the request could not be verified',
    );
    const request = { credentials: { oidcIdentityToken: await token() } };
    expect(await messageOf(await postJson(`${sigstore.fulcioUrl}/api/v2/signingCert`, request))).toBe(
      'The public key supplied in the request could not be parsed',
    );
  });

  it('names a claim that the certificate needs and the token lacks', async () => {
    stack.issuer.claims = { run_attempt: undefined };
    const response = await requestCertificate(stack.sigstore, await stack.token());
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toBe(
      'template: :1:68: executing "" at <.run_attempt>: map has no entry for key "run_attempt"',
    );
    stack.issuer.claims = { repository_visibility: undefined };
    expect(await messageOf(await requestCertificate(stack.sigstore, await stack.token()))).toMatch(
      /^value <repository_visibility> not present in either claims or defaults\. \{\n\t"ExtensionName": "SourceRepositoryVisibilityAtSigning",\n\t"Issuer": /,
    );
  });

  it('issues a leaf of the asked-for lifetime under an intermediate under a root', async () => {
    await restart({ certificateLifetimeSeconds: 30 });
    const response = await requestCertificate(stack.sigstore, await stack.token());
    const [leaf, intermediate, root, ...more] = await certificates(response);
    if (leaf === undefined || intermediate === undefined || root === undefined) {
      throw new Error('the chain is not complete');
    }
    expect(more).toEqual([]);
    expect([leaf.ca, intermediate.ca, root.ca]).toEqual([false, true, true]);
    expect(leaf.verify(intermediate.publicKey) && leaf.checkIssued(intermediate)).toBe(true);
    expect(intermediate.verify(root.publicKey) && root.verify(root.publicKey)).toBe(true);
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBe(30_000);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.3']);
  });

  it('writes the token’s claims: 1.1 to 1.6 raw, 1.8 to 1.24 as UTF8String, 1.23 only with an environment', async () => {
    const { issuer, sigstore, token } = stack;
    const plain = await stack.leafFor();
    expect(extension(plain, 23)).toBeUndefined();
    issuer.claims = {
      environment: 'production',
      job_workflow_ref: 'acme/ci/.github/workflows/release.yml@refs/tags/v1',
      job_workflow_sha: 'abc',
    };
    const response = await requestCertificate(
      sigstore,
      await token(),
      newKey(),
      'repo:acme/shop:environment:production',
    );
    const [leaf] = await certificates(response);
    const reusable = 'https://github.com/acme/ci/.github/workflows/release.yml@refs/tags/v1';
    expect(leaf?.subjectAltName).toBe(`URI:${reusable}`);
    expect([1, 2, 4, 5, 6].map((arc) => leaf && extension(leaf, arc))).toEqual([
      issuer.url,
      'push',
      'ship',
      'acme/shop',
      'refs/heads/main',
    ]);
    expect([8, 9, 10, 12, 16, 18, 21, 22, 23, 24].map((arc) => leaf && utf8Extension(leaf, arc))).toEqual([
      issuer.url,
      reusable,
      'abc',
      'https://github.com/acme/shop',
      'https://github.com/acme',
      IDENTITY,
      'https://github.com/acme/shop/actions/runs/18012345678/attempts/1',
      'private',
      'production',
      'repo:acme/shop:environment:production',
    ]);
  });
});

/** The raw value of Fulcio's extension 1.3.6.1.4.1.57264.1.`arc`, `undefined` when the certificate has none. */
function extension({ raw }: X509Certificate, arc: number): string | undefined {
  const oid = Buffer.from([0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, arc]);
  const at = raw.indexOf(oid);
  const start = at + oid.length + 2;
  return at < 0 ? undefined : raw.subarray(start, start + raw.readUInt8(start - 1)).toString('latin1');
}

function utf8Extension(certificate: X509Certificate, arc: number): string | undefined {
  const value = extension(certificate, arc);
  const header = `\u000c${String.fromCharCode((value?.length ?? 0) - 2)}`;
  return value?.startsWith(header) ? value.slice(2) : undefined;
}
