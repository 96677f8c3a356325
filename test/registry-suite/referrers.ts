import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Descriptor, descriptorOf, EMPTY_CONFIG, fallbackTag } from '@gitless/oci';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { connect } from './connect.ts';
import { IMAGE_TYPE, INDEX_TYPE, image, placeIn } from './raw.ts';
import { referrerOf } from './referrer.ts';
import type { RegistryUnderTest, RunningRegistry } from './registry.ts';
import type { Task } from './writer.ts';

const WRITERS = 8;
const IndexSchema = v.strictObject({
  schemaVersion: v.literal(2),
  mediaType: v.literal(INDEX_TYPE),
  manifests: v.array(v.looseObject({ digest: v.string() })),
});

/** Referrers through our client, by the API or under the fallback tag. */
export function defineReferrerTests({ kind, access }: RegistryUnderTest, running: () => RunningRegistry): void {
  const open = () => connect(running().host, running().credentials);

  async function pushSubject(repository: string): Promise<Descriptor> {
    const { client } = open();
    const bytes = Buffer.from(image({ annotations: { repository } }));
    const subject = descriptorOf(IMAGE_TYPE, bytes);
    await client.putBlob(repository, EMPTY_CONFIG.bytes, EMPTY_CONFIG.descriptor.digest);
    await client.putManifest(repository, subject.digest, IMAGE_TYPE, bytes);
    return subject;
  }

  /** What the fallback tag lists; `undefined` when there is no such tag. */
  async function tagged(repository: string, subject: Descriptor) {
    const got = await placeIn(running(), repository).getManifest(fallbackTag(subject.digest), INDEX_TYPE);
    return got.status === 404 ? undefined : v.parse(IndexSchema, await got.json()).manifests;
  }

  describe('referrers', () => {
    it('are listed with type and annotations, once, and where the API has them no tag is written', async () => {
      const repository = 'referrers/listed';
      const subject = await pushSubject(repository);
      const { client, sent } = open();
      expect(await client.listReferrers(repository, subject.digest)).toEqual([]);
      const both = ['one', 'two'].map((writer) => referrerOf(subject, writer));
      await client.putReferrers(repository, subject.digest, both);
      const listed = await client.listReferrers(repository, subject.digest);
      const wanted = both.map(({ descriptor }) => descriptor);
      // go-containerregistry lists the config's type for the artifact's, no annotations, in any order.
      const seen = wanted.map(({ annotations: _none, ...one }) => ({
        ...one,
        artifactType: EMPTY_CONFIG.descriptor.mediaType,
      }));
      expect(sortByDigest(listed)).toEqual(sortByDigest(kind === 'go-containerregistry' ? seen : wanted));
      expect(await tagged(repository, subject)).toEqual(running().referrers ? undefined : wanted);

      sent.length = 0;
      await client.putReferrers(repository, subject.digest, both);
      expect(sent.filter((request) => request.startsWith('PUT') && request.includes('/sha256-'))).toEqual([]);
      expect(await client.listReferrers(repository, subject.digest)).toHaveLength(2);
    });

    // How one logs in makes no difference here; with real registries it is seen that this is so.
    if (kind !== 'embedded' || access === 'open') {
      it(`of ${WRITERS} processes that write at the same moment are all kept`, async () => {
        const { host, credentials: login } = running();
        const repository = 'referrers/parallel';
        const subject = await pushSubject(repository);
        const writers = await Promise.all(Array.from({ length: WRITERS }, startWriter));
        const common = { host, repository, subject, ...(login === undefined ? {} : { login }) };
        const ended = await Promise.all(writers.map((write, index) => write({ ...common, writer: String(index) })));
        expect(ended).toEqual(Array(WRITERS).fill('0 '));
        const wanted = writers.map((_write, index) => referrerOf(subject, String(index)).descriptor.digest).sort();
        const digests = (list: readonly { readonly digest: string }[]) => list.map(({ digest }) => digest).sort();
        expect(digests(await open().client.listReferrers(repository, subject.digest))).toEqual(wanted);
        expect(digests((await tagged(repository, subject)) ?? [])).toEqual(running().referrers ? [] : wanted);
      });
    }
  });
}

function sortByDigest(list: readonly Descriptor[]): Descriptor[] {
  return [...list].sort((one, other) => (one.digest < other.digest ? -1 : 1));
}

/** Starts a process and waits until it is ready; what it is then told to do ends with its exit code and its errors. */
async function startWriter(): Promise<(task: Task) => Promise<string>> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts')], { stdio: 'pipe' });
  const errors = text(child.stderr);
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => errors.then((printed) => resolve(`${code} ${printed}`), reject));
  });
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), ended]);
  return (task) => {
    child.stdin.end(`${JSON.stringify(task)}\n`);
    return ended;
  };
}
