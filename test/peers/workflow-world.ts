import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startIssuer, type TestIssuer, type TokenRequest } from '@gitless/testkit';
import * as v from 'valibot';
import { ROOT } from '../../scripts/repository.ts';
import type { WorkflowRun } from './act.ts';
import { toolFile } from './build-tools.ts';
import { exampleWorkflow, type Repository, startGitHub } from './github.ts';
import { requireAccepted, runPeer } from './job.ts';
import { AUDIENCE, type Files } from './organisation.ts';
import { registryRepository } from './registry-http.ts';
import { createState, type TestSuite } from './servers/process.ts';
import { startDistribution } from './servers/registry.ts';
import { startSigstoreServers } from './servers/sigstore.ts';
import { readTree } from './support.ts';

/** Of the example applications. */
export const COMPONENTS = ['api', 'settings', 'web'];
export const SHIPPER = 'https://github.com/acme/apps/.github/workflows/ship.yml@refs/heads/main';

/** Component → digest. */
export type Digests = Readonly<Record<string, string>>;

interface RepositoryOptions {
  /** By default `acme/apps`. */
  readonly name?: string;
  /** Who ships, in gitless.yaml. By default {@link SHIPPER}. */
  readonly identity?: string;
  /** Files that differ from the example's. */
  readonly files?: Files;
}

/** GitHub with the example applications, the real Sigstore servers and a real registry. `place` is a path in the registry. */
export interface WorkflowWorld {
  readonly issuer: TestIssuer;
  /** The example applications set up as their README says, with workflows (file name → example) of `examples/workflows/`. */
  createRepository(
    place: string,
    workflows: Readonly<Record<string, string>>,
    options?: RepositoryOptions,
  ): Promise<Repository>;
  /** What `work` asked of the token endpoint, beside its result. */
  countingTokens<T>(work: Promise<T>): Promise<{ readonly result: T; readonly tokens: readonly TokenRequest[] }>;
  /** Everything that was asked of the registry, by its own access log. */
  requestsBelow(place: string): Promise<string[]>;
  /** Tags that were written, `<repository>:<tag>`, by the registry's own access log; indexes of referrers aside. */
  tagsWritten(place: string): Promise<string[]>;
  /** Of the components that have the tag. */
  tagged(place: string, tag: string): Promise<Digests>;
  /** What cosign verifies. Throws an Error with what it says when it does not. */
  verified(place: string, tag: string, signer: string, components?: readonly string[]): Promise<Digests>;
  close(suite: TestSuite): Promise<void>;
}

const SignaturesSchema = v.array(
  v.object({ critical: v.object({ image: v.object({ 'docker-manifest-digest': v.string() }) }) }),
);
const DigestsSchema = v.record(v.string(), v.pipe(v.string(), v.startsWith('sha256:')));

export async function startWorkflowWorld(): Promise<WorkflowWorld> {
  const state = await createState('workflows');
  const issuer = await startIssuer();
  const sigstore = await startSigstoreServers(state, { issuer, audience: AUDIENCE });
  const registry = await startDistribution(state);
  const github = await startGitHub(state, { issuer });
  const apps = await readTree(join(ROOT, 'examples/apps'), '.');
  const trustedRoot = join(state.folder, 'trusted_root.json');
  await writeFile(trustedRoot, sigstore.trustedRoot);

  async function requestsBelow(place: string): Promise<string[]> {
    const log = await readFile(join(state.folder, 'log', 'registry-open.log'), 'utf8');
    return log.split('\n').filter((line) => line.includes(` /v2/${place}/`));
  }

  async function verifiedDigest(reference: string, signer: string): Promise<string | undefined> {
    const by = ['--certificate-identity', signer, '--certificate-oidc-issuer', issuer.url];
    const args = ['verify', '--trusted-root', trustedRoot, ...by, reference];
    const printed = requireAccepted(await runPeer(state, await toolFile('cosign', 'sigstore'), args));
    const [signature] = v.parse(SignaturesSchema, JSON.parse(printed));
    return signature?.critical.image['docker-manifest-digest'];
  }

  return {
    issuer,
    async createRepository(place, workflows, { name = 'acme/apps', identity = SHIPPER, files = {} } = {}) {
      const held = Object.entries(workflows).map(async ([file, example]) => [
        `.github/workflows/${file}`,
        await exampleWorkflow(example),
      ]);
      const config = (apps['gitless.yaml'] ?? '')
        .replaceAll('ghcr.io/acme', `${registry.host}/${place}`)
        .replace('https://token.actions.githubusercontent.com', issuer.url)
        .replace(SHIPPER, identity);
      return github.createRepository(name, {
        ...apps,
        'gitless.yaml': config,
        'trust/trusted_root.json': sigstore.trustedRoot,
        'trust/signing_config.json': sigstore.signingConfig,
        ...Object.fromEntries(await Promise.all(held)),
        ...files,
      });
    },
    async countingTokens(work) {
      const before = issuer.requests.length;
      const result = await work;
      return { result, tokens: issuer.requests.slice(before) };
    },
    requestsBelow,
    async tagsWritten(place) {
      const writes = (await requestsBelow(place)).map((line) =>
        /"PUT \/v2\/(\S+)\/manifests\/(?!sha256[:-])(\S+) HTTP/.exec(line),
      );
      return writes.flatMap((write) => (write === null ? [] : [`${write[1]}:${write[2]}`]));
    },
    tagged: (place, tag) =>
      forEach(COMPONENTS, (component) => registryRepository(registry.host, `${place}/${component}`).digest(tag)),
    verified: (place, tag, signer, components = COMPONENTS) =>
      forEach(components, (component) => verifiedDigest(`${registry.host}/${place}/${component}:${tag}`, signer)),
    async close(suite) {
      await github.close();
      await registry.stop();
      await sigstore.stop();
      await issuer.close();
      await state.close(suite);
    },
  };
}

async function forEach(
  components: readonly string[],
  digestOf: (component: string) => Promise<string | undefined>,
): Promise<Digests> {
  const found = components.map(
    async (component): Promise<[string, string | undefined]> => [component, await digestOf(component)],
  );
  return Object.fromEntries(
    (await Promise.all(found)).flatMap(([component, digest]) => (digest === undefined ? [] : [[component, digest]])),
  );
}

/** The output `digests` of the step of a job that runs one of our actions. */
export function digestsOf(run: WorkflowRun, job: string, action: string): Digests {
  return v.parse(DigestsSchema, JSON.parse(run.outputs(job, `acme/gitless/actions/${action}`)['digests'] ?? ''));
}
