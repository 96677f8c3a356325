import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createCertificateAuthority,
  EKU,
  generateSigningKey,
  issueTimestampCertificate,
  type SigningKey,
  signingConfig,
  type TestIssuer,
  toPem,
  trustedRoot,
} from '@gitless/testkit';
import { toolFile } from '../build-tools.ts';
import { ctLogConfig, fulcioConfig } from './fulcio-config.ts';
import { answers, freePorts, type ServerProcess, type ServerState, startProcess } from './process.ts';

const HOST = '127.0.0.1';

/** Upstream's own Fulcio, CT log, Rekor v2 and v1 and timestamp authority, on loopback, with fresh keys. */
export interface SigstoreServers {
  readonly fulcioUrl: string;
  readonly rekorUrl: string;
  readonly rekorV1Url: string;
  readonly tsaUrl: string;
  /** JSON texts of the files that clients are given. The root knows both logs. */
  readonly trustedRoot: string;
  /** Signs into Rekor v2. */
  readonly signingConfig: string;
  readonly signingConfigV1: string;
  /** Certificates that Fulcio issued since it started, by its own metric. */
  certificates(): Promise<number>;
  /** Size of the Rekor v2 log, from the checkpoint in its storage. */
  logSize(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts everything that a keyless signature needs besides the issuer, for tokens of `issuer` with `audience`.
 * Keys, configurations, logs and content are in the folder of `state`.
 */
export async function startSigstoreServers(
  state: ServerState,
  { issuer, audience }: { readonly issuer: TestIssuer; readonly audience: string },
): Promise<SigstoreServers> {
  const [
    trillianPort,
    ctPort,
    fulcioPort,
    fulcioGrpc,
    fulcioMetrics,
    tsaPort,
    rekorPort,
    rekorGrpc,
    rekorMetrics,
    v1Port,
  ] = await freePorts(10);
  const url = (port: number | undefined) => `http://${HOST}:${port}`;
  const keys = await writeKeys(state.folder);
  const started: ServerProcess[] = [];
  const start = async (name: string, program: string, args: readonly string[]): Promise<ServerProcess> => {
    const server = startProcess(state, { name, file: await toolFile(program, 'sigstore'), args });
    started.push(server);
    return server;
  };
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()));
  };

  async function startLogs(): Promise<void> {
    const treeIds = join(state.folder, 'tree-ids');
    const trillian = await start('trillian', 'trillian-mem', [
      `--rpc_endpoint=${HOST}:${trillianPort}`,
      '--sequencer_interval=50ms',
      '--trees=2',
      `--tree_ids=${treeIds}`,
    ]);
    const [ctTree = '', rekorTree = ''] = await trillian.until(async () =>
      (await readFile(treeIds, 'utf8')).split('\n'),
    );
    await writeFile(
      join(state.folder, 'ct.cfg'),
      ctLogConfig({
        treeId: ctTree,
        rootsFile: keys.fulcioRoot,
        publicKey: keys.ctLog.spki,
        privateKey: keys.ctLog.privateKey.export({ type: 'pkcs8', format: 'der' }),
      }),
    );
    const ct = await start('ct', 'ct_server', [
      `--http_endpoint=${HOST}:${ctPort}`,
      `--log_rpc_server=${HOST}:${trillianPort}`,
      '--log_config=ct.cfg',
      '--alsologtostderr',
      '--get_sth_interval=0',
    ]);
    // Without the search index and the retrieve API it needs no redis.
    const rekorV1 = await start('rekor-v1', 'rekor-server', [
      'serve',
      `--rekor_server.address=${HOST}`,
      `--port=${v1Port}`,
      `--rekor_server.hostname=${HOST}`,
      `--trillian_log_server.address=${HOST}`,
      `--trillian_log_server.port=${trillianPort}`,
      `--trillian_log_server.tlog_id=${rekorTree}`,
      '--rekor_server.signer=rekor-v1.key',
      '--enable_retrieve_api=false',
      `--enabled_api_endpoints=${V1_ENDPOINTS.join(',')}`,
    ]);
    await ct.until(answers(`${url(ctPort)}/ct/ct/v1/get-sth`));
    await rekorV1.until(answers(`${url(v1Port)}/api/v1/log`));
  }

  async function startRekor(): Promise<void> {
    const rekor = await start('rekor', 'posix', [
      'serve',
      `--hostname=${HOST}`,
      `--http-address=${HOST}`,
      `--grpc-address=${HOST}`,
      `--http-port=${rekorPort}`,
      `--grpc-port=${rekorGrpc}`,
      `--http-metrics-port=${rekorMetrics}`,
      '--storage-dir=rekor',
      '--signer-filepath=rekor.key',
      '--checkpoint-interval=100ms',
      '--batch-max-age=20ms',
    ]);
    await rekor.until(answers(`${url(rekorPort)}/healthz`));
  }

  async function startTsa(): Promise<void> {
    const tsa = await start('tsa', 'tsa', [
      `--host=${HOST}`,
      `--port=${tsaPort}`,
      '--file-signer-key-path=tsa.key',
      '--certificate-chain-path=tsa-chain.pem',
    ]);
    await tsa.until(answers(`${url(tsaPort)}/ping`));
  }

  async function startFulcio(): Promise<void> {
    await writeFile(join(state.folder, 'fulcio.yaml'), fulcioConfig(issuer.url, audience));
    const fulcio = await start('fulcio', 'fulcio', [
      'serve',
      `--host=${HOST}`,
      `--port=${fulcioPort}`,
      `--grpc-host=${HOST}`,
      `--grpc-port=${fulcioGrpc}`,
      `--metrics-port=${fulcioMetrics}`,
      // An abstract name: a socket file of an earlier start would end it.
      `--legacy-unix-domain-socket=@gitless-fulcio-${fulcioPort}`,
      '--config-path=fulcio.yaml',
      '--ca=fileca',
      '--fileca-cert=fulcio-chain.pem',
      '--fileca-key=fulcio.key',
      '--fileca-key-passwd=',
      '--fileca-watch=false',
      `--ct-log-url=${url(ctPort)}/ct`,
      '--ct-log-public-key-path=ct.pub',
    ]);
    await fulcio.until(answers(`${url(fulcioPort)}/healthz`));
  }

  try {
    await Promise.all([startLogs(), startRekor(), startTsa(), startFulcio()]);
  } catch (error) {
    await stop();
    throw error;
  }
  const services = {
    issuerUrl: issuer.url,
    fulcioUrl: url(fulcioPort),
    ctLogUrl: `${url(ctPort)}/ct`,
    tsaUrl: `${url(tsaPort)}/api/v1/timestamp`,
    fulcioChain: keys.fulcioChain,
    tsaChain: keys.tsaChain,
    ctLogKey: keys.ctLog,
    validFrom: keys.validFrom,
  };
  const v2 = { url: url(rekorPort), majorApiVersion: 2, key: keys.rekor } as const;
  const v1 = { url: url(v1Port), majorApiVersion: 1, key: keys.rekorV1 } as const;
  return {
    fulcioUrl: services.fulcioUrl,
    rekorUrl: v2.url,
    rekorV1Url: v1.url,
    tsaUrl: services.tsaUrl,
    trustedRoot: trustedRoot({ ...services, logs: [v2, v1] }),
    signingConfig: signingConfig({ ...services, logs: [v2] }),
    signingConfigV1: signingConfig({ ...services, logs: [v1] }),
    async certificates() {
      const metrics = await (await fetch(`${url(fulcioMetrics)}/metrics`)).text();
      return Number(/^fulcio_new_certs (\d+)$/m.exec(metrics)?.[1] ?? 0);
    },
    async logSize() {
      const [, size] = (await readFile(join(state.folder, 'rekor', 'checkpoint'), 'utf8')).split('\n');
      return Number(size);
    },
    stop,
  };
}

const V1_ENDPOINTS = [
  'getLogInfo',
  'getPublicKey',
  'getLogProof',
  'createLogEntry',
  'getLogEntryByIndex',
  'getLogEntryByUUID',
  'searchLogQuery',
];

/** Fresh keys and certificates, written into `folder` under the names that the command lines above use. */
async function writeKeys(folder: string) {
  // A minute ago, so that no clock in whole seconds sees a certificate from the future.
  const validFrom = new Date(Math.floor(Date.now() / 1000) * 1000 - 60_000);
  const [fulcio, timestamps] = await Promise.all([
    createCertificateAuthority('fulcio', EKU.codeSigning, validFrom),
    createCertificateAuthority('timestamp', EKU.timeStamping, validFrom),
  ]);
  const tsa = await issueTimestampCertificate(timestamps, validFrom);
  const [ctLog, rekor, rekorV1] = [generateSigningKey(), generateSigningKey(), generateSigningKey()];
  const fulcioChain = [fulcio.intermediate, fulcio.root];
  const fulcioRoot = join(folder, 'fulcio-root.pem');
  const files: Record<string, string> = {
    'fulcio-root.pem': toPem(fulcio.root),
    'fulcio-chain.pem': fulcioChain.map(toPem).join(''),
    'fulcio.key': privatePem(fulcio.intermediateKey),
    'tsa-chain.pem': tsa.chain.map(toPem).join(''),
    'tsa.key': privatePem(tsa.key),
    'rekor.key': privatePem(rekor),
    'rekor-v1.key': privatePem(rekorV1),
    'ct.pub': publicPem(ctLog),
  };
  await Promise.all(
    Object.entries(files).map(([name, content]) => writeFile(join(folder, name), content, { mode: 0o600 })),
  );
  return { validFrom, fulcioRoot, fulcioChain, tsaChain: tsa.chain, ctLog, rekor, rekorV1 };
}

function privatePem({ privateKey }: SigningKey): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function publicPem({ spki }: SigningKey): string {
  const lines = spki.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`;
}
