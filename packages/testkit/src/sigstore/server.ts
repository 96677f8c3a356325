import type { TestIssuer } from '../oidc/issuer.ts';
import { type Answer, jsonAnswer, type Received, startLoopbackServer } from '../oidc/loopback-server.ts';
import { createCertificateAuthority, EKU } from './ca.ts';
import { createCtLog } from './ct-log.ts';
import { createSigningCertificate, type FulcioSettings } from './fulcio.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { createRekorLog } from './rekor.ts';
import { grpcError } from './requests.ts';
import { type Services, signingConfig, trustedRoot } from './trusted-root.ts';
import { createTimestampAuthority, issueTimestampCertificate } from './tsa.ts';

export interface SigstoreOptions extends Partial<Misbehaviour> {
  readonly issuer: Pick<TestIssuer, 'url' | 'verify'>;
  /** What Fulcio wants in `aud`; by default `sigstore`. */
  readonly audience?: string;
  /** By default 600, as Fulcio's. */
  readonly certificateLifetimeSeconds?: number;
  /** The clock of all three servers. */
  readonly now?: () => Date;
}

export interface SigstoreRequest {
  readonly method: string;
  readonly path: string;
  /** 0 when the connection was cut. */
  readonly status: number;
}

/** What a fault hook sees: `count` is 1 at the first request of this method and path. */
export interface IncomingRequest {
  readonly method: string;
  readonly path: string;
  readonly count: number;
}

/** An answer in place of the server's; `reset` cuts the connection before, `reset-after` after the server did its work. */
export type SigstoreFault = { readonly status: number; readonly body: string } | 'reset' | 'reset-after';

export interface TestSigstore {
  /** Base URLs of Fulcio and Rekor, and the URL that timestamps are posted to. */
  readonly fulcioUrl: string;
  readonly rekorUrl: string;
  readonly tsaUrl: string;
  /** JSON texts of the files that clients are given. */
  readonly trustedRoot: string;
  readonly signingConfig: string;
  readonly requests: readonly SigstoreRequest[];
  /** Live: takes effect at the next request. */
  readonly misbehaviour: Misbehaviour;
  /** Called with each request first; `undefined` lets it through. A promise delays it. */
  onRequest: ((request: IncomingRequest) => SigstoreFault | undefined | Promise<SigstoreFault | undefined>) | undefined;
  close(): Promise<void>;
}

/** Fulcio, CT log, Rekor v2 and timestamp authority with fresh keys, real cryptography, on one loopback port. */
export async function startSigstore(options: SigstoreOptions): Promise<TestSigstore> {
  const { issuer, audience = 'sigstore', certificateLifetimeSeconds = 600, now = () => new Date() } = options;
  const misbehaviour: Misbehaviour = {
    wrongSct: options.wrongSct ?? false,
    wrongInclusionProof: options.wrongInclusionProof ?? false,
    wrongTimestamp: options.wrongTimestamp ?? false,
    certificateForOtherKey: options.certificateForOtherKey ?? false,
  };
  // A minute ago, so that no clock in whole seconds sees a certificate from the future.
  const validFrom = new Date(Math.floor(now().getTime() / 1000) * 1000 - 60_000);
  const [fulcioAuthority, tsaAuthority] = await Promise.all([
    createCertificateAuthority('fulcio', EKU.codeSigning, validFrom),
    createCertificateAuthority('timestamp', EKU.timeStamping, validFrom),
  ]);
  const ctLog = createCtLog();
  const rekor = createRekorLog(() => new URL(server.url).hostname, misbehaviour);
  const tsa = createTimestampAuthority(await issueTimestampCertificate(tsaAuthority, validFrom), now, misbehaviour);
  const fulcio: FulcioSettings = {
    authority: fulcioAuthority,
    ctLog,
    verifyToken: (token, at) => issuer.verify(token, audience, at),
    certificateLifetimeSeconds,
    now,
    misbehaviour,
  };

  async function dispatch(request: Received): Promise<Answer> {
    switch (`${request.method} ${request.path}`) {
      case 'POST /api/v2/signingCert':
        return createSigningCertificate(request.body, fulcio);
      case 'POST /api/v1/timestamp':
        return tsa.timestamp(request);
      case 'POST /api/v2/log/entries':
        return rekor.createEntry(request.body);
      case `${request.method} /api/v2/signingCert`:
      case `${request.method} /api/v2/log/entries`:
        return grpcError('unimplemented', 'Method Not Allowed');
      case `${request.method} /api/v1/timestamp`:
        return jsonAnswer(
          405,
          { code: 405, message: `method ${request.method} is not allowed, but [POST] are` },
          { allow: 'POST' },
        );
      default:
        return grpcError('notFound', 'Not Found');
    }
  }

  const requests: SigstoreRequest[] = [];
  const counts = new Map<string, number>();

  const server = await startLoopbackServer(async (request) => {
    const { method, path } = request;
    const count = (counts.get(`${method} ${path}`) ?? 0) + 1;
    counts.set(`${method} ${path}`, count);
    const fault = await sigstore.onRequest?.({ method, path, count });
    const answer = fault === undefined || fault === 'reset-after' ? await dispatch(request) : fault;
    const sent = fault === 'reset-after' ? 'reset' : answer;
    requests.push({ method, path, status: sent === 'reset' ? 0 : sent.status });
    return sent;
  });

  const services: Services = {
    issuerUrl: issuer.url,
    fulcioUrl: server.url,
    ctLogUrl: `${server.url}/ct`,
    tsaUrl: `${server.url}/api/v1/timestamp`,
    logs: [{ url: server.url, majorApiVersion: 2, key: rekor.key }],
    fulcioChain: [fulcioAuthority.intermediate, fulcioAuthority.root],
    tsaChain: tsa.chain,
    ctLogKey: ctLog.key,
    validFrom,
  };
  const sigstore: TestSigstore = {
    fulcioUrl: services.fulcioUrl,
    rekorUrl: server.url,
    tsaUrl: services.tsaUrl,
    trustedRoot: trustedRoot(services),
    signingConfig: signingConfig(services),
    requests,
    misbehaviour,
    onRequest: undefined,
    close: server.close,
  };
  return sigstore;
}
