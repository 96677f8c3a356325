import { startIssuer, startSigstore } from '@gitless/testkit';
import { describe, expect, it } from 'vitest';
import { requireSafeServices, servicesFromSigningConfig } from './services.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const PAST = '2026-01-01T00:00:00Z';

interface Service {
  url: string;
  majorApiVersion: number;
  validFor: { start?: string; end?: string };
  operator?: string;
}

function service(url: string, majorApiVersion: number, start = PAST, end?: string): Service {
  return { url, majorApiVersion, validFor: { start, ...(end === undefined ? {} : { end }) }, operator: 'test' };
}

function select(changes: object, now = NOW) {
  const config = {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [service('https://fulcio', 1)],
    oidcUrls: [service('https://issuer', 1)],
    rekorTlogUrls: [service('https://rekor', 2)],
    tsaUrls: [service('https://tsa/api/v1/timestamp', 1)],
    rekorTlogConfig: { selector: 'ANY' },
    tsaConfig: { selector: 'ANY' },
    ...changes,
  };
  return servicesFromSigningConfig(Buffer.from(JSON.stringify(config)), 'signing_config.json', now);
}

describe('servicesFromSigningConfig', () => {
  it('reads the config of a real instance', async () => {
    const issuer = await startIssuer();
    const sigstore = await startSigstore({ issuer });
    const { fulcioUrl, rekorUrl, tsaUrl } = sigstore;
    const services = servicesFromSigningConfig(Buffer.from(sigstore.signingConfig), 'x', new Date());
    await Promise.all([issuer.close(), sigstore.close()]);
    expect(services).toEqual({ fulcioUrl, rekorUrl, tsaUrl });
    expect(() => requireSafeServices(services)).not.toThrow();
  });

  const old = service('https://old', 2, '2025-01-01T00:00:00Z');
  const current = service('https://current', 2, '2026-03-01T00:00:00Z');
  const future = service('https://future', 2, '2026-06-01T12:00:01Z');
  const ended = service('https://ended', 2, '2026-05-01T00:00:00Z', '2026-06-01T12:00:00Z');
  const ending = service('https://ending', 2, '2026-05-01T00:00:00Z', '2026-06-01T12:00:01Z');
  const v1 = service('https://v1', 1, '2026-05-01T00:00:00Z');
  const v3 = service('https://v3', 3, '2026-05-01T00:00:00Z');

  it.each([
    ['the only one', [old], 'https://old'],
    ['the newest, wherever it stands', [old, current], 'https://current'],
    ['the newest, wherever it stands', [current, old], 'https://current'],
    ['none from the future', [future, old], 'https://old'],
    ['none that ended', [ended, old], 'https://old'],
    ['one that is still valid', [old, ending, current], 'https://ending'],
    ['none of another API version', [v1, v3, old], 'https://old'],
    ['one that begins now', [old, service('https://now', 2, NOW.toISOString())], 'https://now'],
    [
      'the newest by time, not by text',
      [service('https://east', 2, '2026-03-01T01:00:00+05:00'), current],
      'https://current',
    ],
  ])('takes %s', (_name, rekorTlogUrls, rekorUrl) => {
    expect(select({ rekorTlogUrls })).toEqual({
      fulcioUrl: 'https://fulcio',
      rekorUrl,
      tsaUrl: 'https://tsa/api/v1/timestamp',
    });
  });

  it.each([
    ['rekorTlogUrls', []],
    ['rekorTlogUrls', [v1, v3, future, ended]],
    ['caUrls', [service('https://fulcio', 2)]],
    ['tsaUrls', [service('https://tsa', 1, '2027-01-01T00:00:00Z')]],
  ])('names what has no usable service: %s', (field, services) => {
    expect(() => select({ [field]: services })).toThrow(
      expect.objectContaining({ code: 'BAD_SIGNING_CONFIG', message: expect.stringContaining(field) }),
    );
  });

  it.each([
    ['mediaType', 'application/vnd.dev.sigstore.signingconfig.v0.1+json'],
    ['caUrls', undefined],
    ['caUrls', 'https://fulcio'],
    ['tsaUrls', [{ ...current, majorApiVersion: '1' }]],
    ['rekorTlogUrls', [{ ...current, validFor: {} }]],
    ['rekorTlogUrls', [{ ...current, validFor: { start: 'yesterday' } }]],
    ['rekorTlogUrls', [{ ...current, url: 'rekor' }]],
  ])('refuses a config with another %s: %j', (field, value) => {
    expect(() => select({ [field]: value })).toThrow(
      expect.objectContaining({
        code: 'BAD_SIGNING_CONFIG',
        problem: expect.objectContaining({ details: [expect.stringContaining(field)] }),
      }),
    );
  });
});

describe('requireSafeServices', () => {
  const services = { fulcioUrl: 'https://fulcio', rekorUrl: 'https://rekor', tsaUrl: 'https://tsa' };

  it.each(['http://localhost:1', 'http://127.0.0.1', 'http://[::1]', 'https://fulcio:8443/path'])('takes %s', (url) => {
    expect(() => requireSafeServices({ ...services, fulcioUrl: url })).not.toThrow();
  });

  it.each(['fulcioUrl', 'rekorUrl', 'tsaUrl'])('refuses %s in clear over a network', (field) => {
    for (const url of ['http://sigstore.internal/x', 'http://10.0.0.1', 'http://localhost.example', 'ftp://host']) {
      expect(() => requireSafeServices({ ...services, [field]: url })).toThrow(
        expect.objectContaining({ code: 'SERVICE_NOT_HTTPS' }),
      );
    }
  });
});
