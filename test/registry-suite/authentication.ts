import { sha256 } from '@gitless/core';
import { EMPTY_CONFIG } from '@gitless/oci';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { connect } from './connect.ts';
import { basicHeader, challengeParams, fetchToken } from './raw.ts';
import type { RegistryUnderTest, RunningRegistry } from './registry.ts';

const REFUSAL_SCHEMA = v.strictObject({
  errors: v.tuple([
    v.strictObject({
      code: v.literal('UNAUTHORIZED'),
      message: v.literal('authentication required'),
      detail: v.unknown(),
    }),
  ]),
});

/** Challenges, logins and tokens, as distribution has them (docs "Token Authentication Specification"). */
export function defineAuthenticationTests({ access }: RegistryUnderTest, running: () => RunningRegistry): void {
  const blobs = `/v2/auth/asked/blobs/`;
  const ask = (method: string, path: string, authorization?: string) =>
    fetch(`http://${running().host}${path}`, {
      method,
      ...(authorization === undefined ? {} : { headers: { authorization } }),
    });

  /** The challenge of a 401, its scopes in order. */
  async function challenge(method: string, path: string, authorization?: string) {
    const response = await ask(method, path, authorization);
    const header = response.headers.get('www-authenticate') ?? '';
    const { scope, error } = challengeParams(header);
    const scopes = scope
      ?.split(' ')
      .map((one) => one.replace(/[^:]+$/, (actions) => actions.split(',').sort().join(',')));
    return { status: response.status, scheme: header.split(' ')[0], scopes: scopes?.sort(), error, header, response };
  }

  if (access === 'open') {
    describe('without authentication', () => {
      it('everybody is let in', async () => {
        expect((await ask('GET', '/v2/')).status).toBe(200);
      });
    });
  } else {
    describe('a login', () => {
      const detail = (...actions: string[]) =>
        actions.map((Action) => ({ Type: 'repository', Class: '', Name: 'auth/asked', Action }));

      it.each([
        ['GET', '/v2/', null],
        ['GET', `${blobs}${sha256('x')}`, detail('pull')],
        ['POST', `${blobs}uploads/`, detail('pull', 'push')],
        ['DELETE', `${blobs}${sha256('x')}`, detail('delete')],
      ])('is asked for before %s %s is answered, and what for', async (method, path, wanted) => {
        const { status, scheme, response } = await challenge(method, path);
        expect([status, scheme]).toEqual([401, access === 'basic' ? 'Basic' : 'Bearer']);
        expect(v.parse(REFUSAL_SCHEMA, await response.json()).errors[0].detail).toEqual(wanted);
      });

      it('is refused with a wrong password, and nobody gets in without', async () => {
        const { credentials } = running();
        for (const login of [credentials && { ...credentials, password: 'wrong' }, undefined]) {
          const { client } = connect(running().host, login);
          await expect(client.getManifest('auth/asked', 'v1')).rejects.toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
          const upload = client.putBlob('auth/asked', EMPTY_CONFIG.bytes, EMPTY_CONFIG.descriptor.digest);
          await expect(upload).rejects.toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
        }
      });
    });
  }

  if (access === 'basic') {
    describe('Basic', () => {
      it('is challenged again for a wrong password', async () => {
        const wrong = `Basic ${Buffer.from('robot:wrong').toString('base64')}`;
        expect(await challenge('GET', '/v2/', wrong)).toMatchObject({ status: 401, scheme: 'Basic' });
        expect((await ask('GET', '/v2/', basicHeader(running()))).status).toBe(200);
      });

      it('is sent from the first challenge on', async () => {
        const { client, sent } = connect(running().host, running().credentials);
        await client.getManifest('auth/known', 'v1');
        await client.getManifest('auth/other', 'v1');
        expect(sent).toHaveLength(3);
      });
    });
  }

  if (access === 'token') {
    describe('a token', () => {
      it.each([
        ['GET', '/v2/', undefined],
        ['HEAD', `${blobs}${sha256('x')}`, ['repository:auth/asked:pull']],
        ['PUT', '/v2/auth/asked/manifests/v1', ['repository:auth/asked:pull,push']],
        ['DELETE', '/v2/auth/asked/manifests/v1', ['repository:auth/asked:delete']],
        [
          'POST',
          `${blobs}uploads/?mount=${sha256('x')}&from=auth/source`,
          ['repository:auth/asked:pull,push', 'repository:auth/source:pull'],
        ],
      ])('is asked for with its scope: %s %s', async (method, path, scopes) => {
        expect(await challenge(method, path)).toMatchObject({ status: 401, scopes, error: undefined });
      });

      it('is refused with the reason: nonsense, or good for something else', async () => {
        const path = '/v2/auth/asked/manifests/v1';
        expect(await challenge('PUT', path, 'Bearer nonsense')).toMatchObject({ status: 401, error: 'invalid_token' });
        const { header } = await challenge('GET', path);
        const reading = `Bearer ${await fetchToken(header, basicHeader(running()))}`;
        expect((await ask('GET', path, reading)).status).toBe(404);
        expect(await challenge('PUT', path, reading)).toMatchObject({ status: 401, error: 'insufficient_scope' });
        expect(await challenge('GET', '/v2/auth/other/manifests/v1', reading)).toMatchObject({
          error: 'insufficient_scope',
        });
      });

      it('is fetched once for a repository, wide enough to write, and once more for another', async () => {
        const { client, sent } = connect(running().host, running().credentials);
        const tokens = () => sent.filter((request) => request === 'GET /token').length;
        expect(await client.getManifest('auth/wide', 'v1')).toBeUndefined();
        expect(tokens()).toBe(1);
        await client.putBlob('auth/wide', EMPTY_CONFIG.bytes, EMPTY_CONFIG.descriptor.digest);
        expect(tokens()).toBe(1);
        await client.getManifest('auth/second', 'v1');
        expect(tokens()).toBe(2);
      });

      it('that has expired is fetched again', async () => {
        const { client, sent } = connect(running().host, running().credentials);
        await running().tokens?.expireAfter(() =>
          client.putBlob('auth/expired', EMPTY_CONFIG.bytes, EMPTY_CONFIG.descriptor.digest),
        );
        sent.length = 0;
        await client.getBlob('auth/expired', EMPTY_CONFIG.descriptor);
        expect(sent.map((request) => request.split(' ')[1])).toEqual([
          expect.stringContaining('/v2/auth/expired/'),
          '/token',
          expect.stringContaining('/v2/auth/expired/'),
        ]);
      });

      it('that the service does not give is a refusal, not an absence', async () => {
        running().tokens?.withdraw('auth/withdrawn');
        const { client } = connect(running().host, running().credentials);
        const refused = { code: expect.stringMatching(/^REGISTRY_(?:UNAUTHORIZED|DENIED)$/) };
        await expect(client.getManifest('auth/withdrawn', 'v1')).rejects.toMatchObject(refused);
        await expect(client.getBlob('auth/withdrawn', EMPTY_CONFIG.descriptor)).rejects.toMatchObject(refused);
        await expect(client.listTags('auth/withdrawn')).rejects.toMatchObject(refused);
        await expect(client.listReferrers('auth/withdrawn', sha256('x'))).rejects.toMatchObject(refused);
        const upload = client.putBlob('auth/withdrawn', EMPTY_CONFIG.bytes, EMPTY_CONFIG.descriptor.digest);
        await expect(upload).rejects.toMatchObject(refused);
      });
    });
  }
}
