import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCertificate } from './certificate.ts';
import { newKey, REPOSITORY, SUBJECT, startWorld } from './test-support.ts';

describe('readCertificate', () => {
  it('reads what Fulcio says about the run, the environment included', async () => {
    const world = await startWorld();
    world.issuer.claims = { environment: 'production', ref: 'refs/tags/v1', event_name: 'release' };
    const der = await world.certificateFor(newKey().privateKey);
    await world.close();
    expect(readCertificate(der)).toMatchObject({
      subject: SUBJECT.replace('refs/heads/main', 'refs/tags/v1'),
      sourceRepository: REPOSITORY,
      sourceRef: 'refs/tags/v1',
      trigger: 'release',
      environment: 'production',
    });
  });

  it('tells the workflow from the repository that called it', async () => {
    const world = await startWorld();
    world.issuer.claims = { job_workflow_ref: 'acme/ci/.github/workflows/release.yml@refs/tags/v1' };
    const der = await world.certificateFor(newKey().privateKey);
    await world.close();
    expect(readCertificate(der)).toMatchObject({
      subject: 'https://github.com/acme/ci/.github/workflows/release.yml@refs/tags/v1',
      sourceRepository: REPOSITORY,
    });
  });

  it('refuses a certificate with two names: readers would differ about who signed', () => {
    expect(() => readCertificate(Buffer.from(TWO_NAMES, 'base64'))).toThrow(
      expect.objectContaining({ code: 'CERTIFICATE_REFUSED' }),
    );
  });

  it('refuses everything else as CERTIFICATE_REFUSED', async () => {
    const world = await startWorld();
    const der = await world.certificateFor(newKey().privateKey);
    await world.close();
    const broken = fc
      .record({ at: fc.nat(der.length - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) })
      .map(({ at, bytes }) => Buffer.concat([der.subarray(0, at), bytes, der.subarray(at + bytes.length)]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), broken), (bytes) => {
        try {
          readCertificate(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'CERTIFICATE_REFUSED' });
        }
      }),
    );
    expect(() => readCertificate(der.subarray(0, -1))).toThrow(
      expect.objectContaining({ code: 'CERTIFICATE_REFUSED' }),
    );
  });
});

/** For code signing, with an issuer and two URIs as subject alternative names (openssl req -x509). */
const TWO_NAMES =
  'MIIB4DCCAYagAwIBAgIULsilewm+EK0/PR1YmagfusBChQ8wCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBeDAeFw0yNjExMjQwOTQ4NThaFw0yNj' +
  'ExMjYwOTQ4NThaMAwxCjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASFGgI3X2fAanaH0UXldJ9UFx//U0Ai/5EUF3vM33qj' +
  'BdCDVjbNVwJ/sPKJfjcvAhjYNqDAh0lA/fS2oxQPVplNo4HFMIHCMBMGA1UdJQQMMAoGCCsGAQUFBwMDMG0GA1UdEQRmMGSGR2h0dHBzOi8vZ2' +
  'l0aHViLmNvbS9hY21lL3Nob3AvLmdpdGh1Yi93b3JrZmxvd3Mvc2hpcC55bWxAcmVmcy9oZWFkcy9tYWluhhlodHRwczovL2dpdGh1Yi5jb20v' +
  'ZXZpbC94MB0GCisGAQQBg78wAQgEDwwNaHR0cHM6Ly90b2tlbjAdBgNVHQ4EFgQUHV4Npnr4xu8sXlhmNAFOTUvSumowCgYIKoZIzj0EAwIDSA' +
  'AwRQIhAJX4A4PMxqOyRVsj63nKb6nA2naSrClmxGzlWmzNNUPqAiBPbplFwhBTTBhMP8rmqdp44wocmI2h+P+j8MYNKvOwcQ==';
