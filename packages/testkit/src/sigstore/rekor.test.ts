import { createHash, sign } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textAt, valueAt } from './requests.ts';
import { entryRequest, messageOf, newKey, startStack } from './test-client.ts';

let stack: Awaited<ReturnType<typeof startStack>>;

beforeEach(async () => {
  stack = await startStack();
});
afterEach(() => stack.close());

describe('Rekor', () => {
  it('takes hashedrekord only', async () => {
    for (const request of [{ dsseRequestV002: {} }, {}]) {
      const response = await stack.createEntry(request);
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({ code: 3, message: 'invalid type, must be hashedrekord', details: [] });
    }
  });

  it('refuses what is no request, and a field that it does not know', async () => {
    const request = valueAt(entryRequest(await stack.signStatement()), 'hashedRekordRequestV002');
    const refused = [[], null, { hashedRekordRequestV002: Object.assign({ more: 1 }, request) }];
    const answers = await Promise.all(refused.map((request) => stack.createEntry(request)));
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(await Promise.all(answers.map(messageOf))).toEqual([
      'proto: syntax error (line 1:1): unexpected token [',
      'proto: syntax error (line 1:1): unexpected token null',
      expect.stringMatching(/^proto: \(line 1:\d+\): unknown field "more"$/),
    ]);
  });

  it('refuses a signature that is not one over the digest by the certificate’s key', async () => {
    const signed = await stack.signStatement();
    const otherDigest = entryRequest({ ...signed, preAuthEncoding: Buffer.from('other') });
    const otherKey = entryRequest({ ...signed, leaf: await stack.leafFor() });
    for (const request of [otherDigest, otherKey, { hashedRekordRequestV002: {} }]) {
      const response = await stack.createEntry(request);
      expect(response.status).toBe(400);
      expect(await messageOf(response)).toBe('invalid hashedrekord request');
    }
  });

  it('answers 409 with the index to what it has already', async () => {
    await stack.createEntry(entryRequest(await stack.signStatement()));
    const signed = await stack.signStatement();
    expect((await stack.createEntry(entryRequest(signed))).status).toBe(201);
    const again = await stack.createEntry(entryRequest(signed));
    expect(again.status).toBe(409);
    expect(again.headers.get('x-log-index')).toBe('1');
    expect(await again.json()).toMatchObject({ code: 6 });
  });

  it('takes a bare public key as verifier too', async () => {
    const { privateKey, publicKey } = newKey();
    const data = Buffer.from('signed with a managed key');
    const verifier = {
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      publicKey: { rawBytes: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
    };
    const digest = createHash('sha256').update(data).digest('base64');
    const signature = { content: sign('sha256', data, privateKey).toString('base64'), verifier };
    const response = await stack.createEntry({ hashedRekordRequestV002: { digest, signature } });
    expect(response.status).toBe(201);
    const body = Buffer.from(textAt(await response.json(), 'canonicalizedBody'), 'base64').toString();
    expect(body).toBe(
      `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"${digest}"},` +
        `"signature":{"content":"${signature.content}","verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256",` +
        `"publicKey":{"rawBytes":"${verifier.publicKey.rawBytes}"}}}}}}`,
    );
  });

  it('answers with index and size as text, time 0, and a checkpoint of its hostname without the port', async () => {
    const response = await stack.createEntry(entryRequest(await stack.signStatement()));
    const entry = await response.json();
    expect(entry).toMatchObject({
      logIndex: '0',
      kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
      integratedTime: '0',
      inclusionProof: { logIndex: '0', treeSize: '1', hashes: [] },
    });
    expect(textAt(entry, 'inclusionProof', 'checkpoint', 'envelope')).toMatch(
      /^127\.0\.0\.1\n1\n\S+\n\n\u2014 127\.0\.0\.1 \S+\n$/,
    );
  });
});
