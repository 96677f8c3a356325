import { createHash } from 'node:crypto';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encode, generalizedTime, integer, sequence, TAG } from './der.ts';
import { startStack } from './test-client.ts';
import { messageImprint } from './timestamp-token.ts';

let stack: Awaited<ReturnType<typeof startStack>>;
const now = new Date('2031-05-06T07:08:09.120Z');
const digest = createHash('sha256').update('a signature').digest();
const artifactHash = digest.toString('base64');

beforeEach(async () => {
  stack = await startStack({ now: () => now });
});
afterEach(() => stack.close());

function query(contentType: string, body: string | Uint8Array): Promise<Response> {
  return fetch(stack.sigstore.tsaUrl, { method: 'POST', headers: { 'content-type': contentType }, body });
}

async function stamp(contentType: string, body: string | Uint8Array): Promise<Buffer> {
  const response = await query(contentType, body);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/timestamp-reply');
  return Buffer.from(await response.arrayBuffer());
}

describe('the timestamp authority', () => {
  it('stamps a timestamp-query, with its nonce and with the certificate that it asks for', async () => {
    const nonce = integer(0xfedcba9876543210n);
    const imprint = messageImprint(digest);
    const certReq = encode(TAG.boolean, Buffer.from([0xff]));
    const full = await stamp('application/timestamp-query', sequence(integer(1), imprint, nonce, certReq));
    const bare = await stamp('application/timestamp-query', sequence(integer(1), imprint));
    const [authority] = TrustedRoot.fromJSON(JSON.parse(stack.sigstore.trustedRoot)).timestampAuthorities;
    const leaf = authority?.certChain?.certificates[0]?.rawBytes ?? Buffer.alloc(0);
    expect([full.includes(nonce), full.includes(leaf)]).toEqual([true, true]);
    expect([bare.includes(nonce), bare.includes(leaf)]).toEqual([false, false]);
  });

  it('stamps the JSON form, with all 64 bits of its nonce', async () => {
    const request = `{"artifactHash":"${artifactHash}","hashAlgorithm":"SHA256","nonce":18364758544493064720}`;
    expect((await stamp('application/json', request)).includes(integer(18364758544493064720n))).toBe(true);
  });

  it('stamps whole seconds of its clock', async () => {
    const request = JSON.stringify({ artifactHash, hashAlgorithm: 'sha256' });
    const response = await stamp('application/json', request);
    expect(generalizedTime(now).toString('latin1')).toContain('20310506070809Z');
    expect(response.includes(generalizedTime(now))).toBe(true);
  });

  it.each([
    [
      'a hash that nobody should use',
      { artifactHash, hashAlgorithm: 'sha1' },
      'Weak hash algorithm in timestamp request',
    ],
    [
      'a digest of another length',
      { artifactHash: 'AAAA', hashAlgorithm: 'sha256' },
      'Message digest has incorrect length for specified algorithm',
    ],
    [
      'a policy that is not its own',
      { artifactHash, hashAlgorithm: 'sha256', tsaPolicyOID: '1.2.3.4' },
      'unaccepted policy: requested TSA policy is not supported by the TSA',
    ],
    ['what is no request', null, 'Error generating timestamp response'],
  ])('refuses %s', async (_what, request, message) => {
    const response = await query('application/json', JSON.stringify(request));
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/timestamp-reply');
    expect(await response.json()).toEqual({ code: 400, message });
  });

  it('refuses a broken query, no query and another content type', async () => {
    const answers = [
      await query('application/timestamp-query', Buffer.from('3003020101', 'hex')),
      await query('application/timestamp-query', Buffer.from('30', 'hex')),
      await query('application/json', ''),
      await query('text/plain', 'hello'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 422, 415]);
  });
});
