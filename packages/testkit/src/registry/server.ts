import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isDigest } from '@gitless/core';
import { createGate, type Gate, kindOf } from './auth.ts';
import { handleBlob } from './blobs.ts';
import { cut, deliver, deliverTruncated } from './deliver.ts';
import { listReferrers, listTags } from './discovery.ts';
import { dumpStore } from './dump.ts';
import { handleManifest } from './manifests.ts';
import { fail, json, notAllowed, notFound, type Reply, reply } from './reply.ts';
import { accessOf, isRepositoryName, parseRoute, type RegistryRequest } from './route.ts';
import { createStore, type Store } from './store.ts';
import type { Fault, LoggedRequest, OnRequest, RegistryOptions, TestRegistry } from './types.ts';
import { handleUpload, startUpload } from './uploads.ts';

/**
 * An OCI registry (distribution-spec 1.1) on loopback HTTP with its content in memory: what tests and the demo push to.
 * It answers as distribution v3, and with the referrers API as the specification says; `test/registry-suite` holds it to both.
 */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const store = createStore();
  const requests: { -readonly [K in keyof LoggedRequest]: LoggedRequest[K] }[] = [];
  let onRequest: OnRequest | undefined;
  let host = '';
  const gate = createGate(options.auth ?? { kind: 'none' }, () => host);

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = incoming;
    const entry = { method, path, status: 0, authorization: kindOf(incoming.headers.authorization) };
    const index = requests.push(entry) - 1;
    const body = await readBody(incoming);
    const fault = onRequest?.({ method, path, index });
    if (fault?.kind === 'hang') {
      return;
    }
    if (fault?.kind === 'reset') {
      cut(response);
      return;
    }
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    );
    const url = new URL(path, `http://${host}`);
    const answer =
      fault?.kind === 'status' ? faultReply(fault) : respond(store, options, gate, method, url, headers, body);
    if (fault?.kind === 'reset-after') {
      cut(response);
      return;
    }
    entry.status = answer.status;
    const send = fault?.kind === 'truncate' ? deliverTruncated : deliver;
    send(response, method, answer);
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      // The client left in the middle of its request, or this registry or the hook of a test has a defect: that must show.
      if (incoming.complete && !response.headersSent) {
        deliver(response, incoming.method ?? '', reply(500, {}, Buffer.from(String(error))));
      } else {
        response.destroy();
      }
    });
  });
  // Longer than any pause of a test: a server that closes idle connections makes clients fail by chance.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('the registry listens on no port');
  }
  host = `127.0.0.1:${address.port}`;

  return {
    host,
    requests,
    get onRequest() {
      return onRequest;
    },
    set onRequest(hook) {
      onRequest = hook;
    },
    manifests: (repository) => [...(store.repositories.get(repository)?.manifests.values() ?? [])],
    tags: (repository) => new Map(store.repositories.get(repository)?.tags),
    blob: (digest) => (isDigest(digest) ? store.blobs.get(digest) : undefined),
    tagHistory: store.tagHistory,
    dump: (dir) => dumpStore(store, dir),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function respond(
  store: Store,
  options: RegistryOptions,
  gate: Gate,
  method: string,
  url: URL,
  headers: RegistryRequest['headers'],
  body: Buffer,
): Reply {
  const { authorization } = headers;
  if (url.pathname === '/token') {
    return gate.token(method, url, authorization) ?? notFound();
  }
  const route = parseRoute(url.pathname);
  if (route === undefined) {
    return notFound();
  }
  const refusal = gate.refuse(authorization, accessOf(method, route, url));
  if (refusal !== undefined) {
    return refusal;
  }
  if (route.kind === 'base') {
    return method === 'GET' || method === 'HEAD' ? json(200, {}) : notAllowed('GET', 'HEAD');
  }
  if (!isRepositoryName(route.repository)) {
    return fail(404, 'NAME_UNKNOWN', 'repository name not known to registry', { name: route.repository });
  }
  const request = { method, url, headers, body };
  switch (route.kind) {
    case 'blob':
      return handleBlob(store, route.repository, route.digest, request);
    case 'uploads':
      return startUpload(store, route.repository, request);
    case 'upload':
      return handleUpload(store, route.repository, route.id, request);
    case 'manifest':
      return handleManifest(store, options, route.repository, route.reference, request);
    case 'tags':
      return listTags(store, options, route.repository, request);
    case 'referrers':
      return listReferrers(store, options, route.repository, route.digest, request);
  }
}

function faultReply(fault: Fault & { kind: 'status' }): Reply {
  return reply(fault.status, fault.headers, fault.body === undefined ? undefined : Buffer.from(fault.body));
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
