import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entryRequest, startStack } from './test-client.ts';

let stack: Awaited<ReturnType<typeof startStack>>;

beforeEach(async () => {
  stack = await startStack();
});
afterEach(() => stack.close());

describe('startSigstore', () => {
  it('logs each request with its answer', async () => {
    const signed = await stack.signStatement();
    await stack.createEntry(entryRequest(signed));
    await stack.bundleJson(signed, []);
    await fetch(`${stack.sigstore.rekorUrl}/nowhere`);
    expect(stack.sigstore.requests).toEqual([
      { method: 'POST', path: '/api/v2/signingCert', status: 200 },
      { method: 'POST', path: '/api/v2/log/entries', status: 201 },
      { method: 'POST', path: '/api/v1/timestamp', status: 200 },
      { method: 'GET', path: '/nowhere', status: 404 },
    ]);
  });

  it('fails on request: with a status, without an answer, or after the work is done', async () => {
    const request = entryRequest(await stack.signStatement());
    const faults = [{ status: 503, body: 'busy' }, 'reset', 'reset-after'] as const;
    stack.sigstore.onRequest = ({ count }) => faults[count - 1];
    const attempt = () =>
      stack.createEntry(request).then(
        ({ status }) => status,
        () => 'cut',
      );
    expect([await attempt(), await attempt(), await attempt(), await attempt()]).toEqual([503, 'cut', 'cut', 409]);
    expect(stack.sigstore.requests.slice(1).map(({ status }) => status)).toEqual([503, 0, 0, 409]);
  });

  it('describes itself in a signing config', () => {
    const { sigstore, issuer } = stack;
    expect(JSON.parse(sigstore.signingConfig)).toMatchObject({
      mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
      caUrls: [{ url: sigstore.fulcioUrl, majorApiVersion: 1 }],
      oidcUrls: [{ url: issuer.url }],
      rekorTlogUrls: [{ url: sigstore.rekorUrl, majorApiVersion: 2 }],
      rekorTlogConfig: { selector: 'ANY' },
      tsaUrls: [{ url: sigstore.tsaUrl, majorApiVersion: 1 }],
      tsaConfig: { selector: 'ANY' },
    });
  });
});
