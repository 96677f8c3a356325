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
