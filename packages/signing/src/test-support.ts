import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Context, createHttpClient, parseJsonWith, silentLogger } from '@gitless/core';
import { startIssuer, startSigstore } from '@gitless/testkit';
import * as v from 'valibot';
import { requestCertificate } from './fulcio.ts';
import { createSigner } from './signer.ts';
import { parseTrustedRoot } from './trusted-root.ts';

const TokenAnswer = v.object({ value: v.string() });
const Claims = v.object({ sub: v.string() });
const source = { code: 'TEST', where: 'the test issuer' };

/** The identity that the test issuer's default claims lead to. */
export const SUBJECT = 'https://github.com/acme/shop/.github/workflows/ship.yml@refs/heads/main';
export const REPOSITORY = 'https://github.com/acme/shop';

/** A Sigstore instance with its issuer, and a context that keeps what was logged and sent. */
export async function startWorld(options: { readonly retries?: number } = {}) {
  const issuer = await startIssuer();
  const sigstore = await startSigstore({ issuer });
  const signal = new AbortController().signal;
  const logged: string[] = [];
  const sent: { readonly path: string; readonly body: string }[] = [];
  const tell = (line: string) => {
    logged.push(line);
  };
  const log = { ...silentLogger, debug: tell, info: tell, warning: tell };
  const sleep = async () => undefined;
  const settings = { retries: options.retries ?? 1, backoffMs: 0, maxBackoffMs: 0, timeoutMs: 10_000 };
  const http = createHttpClient(settings, { log, sleep, signal });
  const context: Context = {
    env: {},
    log,
    http: {
      send: (request) => {
        sent.push({ path: request.url.pathname, body: Buffer.from(request.body ?? '').toString() });
        return http.send(request);
      },
    },
    exec: () => Promise.reject(new Error('runs nothing')),
    now: () => new Date(),
    sleep,
    signal,
    mask: () => undefined,
  };
  const trustedRoot = parseTrustedRoot(Buffer.from(sigstore.trustedRoot), 'trusted_root.json');
  const services = { fulcioUrl: sigstore.fulcioUrl, rekorUrl: sigstore.rekorUrl, tsaUrl: sigstore.tsaUrl };

  async function token() {
    const headers = { authorization: `Bearer ${issuer.requestToken}` };
    const answer = await fetch(`${issuer.tokenRequestUrl}&audience=sigstore`, { headers });
    const jwt = parseJsonWith(TokenAnswer, await answer.text(), source).value;
    const payload = Buffer.from(jwt.split('.')[1] ?? '', 'base64url');
    return { jwt, tokenSubject: parseJsonWith(Claims, payload, source).sub };
  }

  return {
    issuer,
    sigstore,
    context,
    logged,
    sent,
    trustedRoot,
    services,
    token,
    signer: async () => createSigner(context, { services, trustedRoot, ...(await token()) }),
    certificateFor: async (privateKey: KeyObject) =>
      requestCertificate(context, { fulcioUrl: services.fulcioUrl, privateKey, ...(await token()) }),
    /** How often a path below the servers was asked. */
    count: (path: string) => sigstore.requests.filter((request) => request.path === path).length,
    close: async () => {
      await Promise.all([sigstore.close(), issuer.close()]);
    },
  };
}

export type World = Awaited<ReturnType<typeof startWorld>>;

export function newKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

export function signSha256(key: KeyObject, data: Uint8Array): Buffer {
  return sign('sha256', data, key);
}
