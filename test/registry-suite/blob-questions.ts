import { agreed, differs, type Question } from './question.ts';
import { answer, answerInFull, digestOf, EMPTY, EMPTY_LAYER, location, withDigest } from './raw.ts';

const { digest } = EMPTY_LAYER;
const ABSENT = digestOf('nobody has this');
const chunk = (range: string, body: string) => ({
  body,
  headers: { 'content-range': range, 'content-type': 'application/octet-stream' },
});

export const BLOB_QUESTIONS: readonly Question[] = [
  agreed('GET of a blob gives its content and digest', `200 ${EMPTY} ${digest}`, async ({ send, repository }) => {
    const got = await send('GET', `/v2/${repository}/blobs/${digest}`);
    return `${got.status} ${await got.text()} ${got.headers.get('docker-content-digest')}`;
  }),
  agreed('HEAD of a blob gives its size and digest', `200 2 ${digest}`, async ({ send, repository }) => {
    const head = await send('HEAD', `/v2/${repository}/blobs/${digest}`);
    return `${head.status} ${head.headers.get('content-length')} ${head.headers.get('docker-content-digest')}`;
  }),
  differs(
    'GET of a blob that is not there',
    {
      distribution: `404 BLOB_UNKNOWN "${ABSENT}"`,
      goContainerregistry: '404 BLOB_UNKNOWN undefined',
      embedded: 'distribution',
    },
    async ({ send, repository }) => answerInFull(await send('GET', `/v2/${repository}/blobs/${ABSENT}`)),
  ),
  agreed('HEAD of a blob that is not there', '404', async ({ send, repository }) =>
    answer(await send('HEAD', `/v2/${repository}/blobs/${ABSENT}`)),
  ),
  differs(
    'GET of a malformed digest',
    { distribution: '400 DIGEST_INVALID', goContainerregistry: '400 NAME_INVALID', embedded: 'distribution' },
    async ({ send, repository }) => answer(await send('GET', `/v2/${repository}/blobs/sha256:abc`)),
  ),
  differs(
    'HEAD of a blob of another repository',
    { distribution: '404', goContainerregistry: '200', embedded: 'distribution' },
    async ({ send, repository }) => answer(await send('HEAD', `/v2/${repository}/other/blobs/${digest}`)),
  ),
  agreed('an upload is opened at a Location of its repository', '202 true 0-0', async ({ send, repository }) => {
    const opened = await send('POST', `/v2/${repository}/blobs/uploads/`);
    const isBelow = /^[^/]+$/.test(location(opened, `/v2/${repository}/blobs/uploads/`));
    return `${opened.status} ${isBelow} ${opened.headers.get('range')}`;
  }),
  differs(
    'PUT of an upload names the new blob',
    { distribution: `201 ${digestOf('a')}`, goContainerregistry: '201 nowhere', embedded: 'distribution' },
    async ({ pushBlob, repository }) => {
      const put = await pushBlob('a');
      return `${put.status} ${location(put, `/v2/${repository}/blobs/`)}`;
    },
  ),
  agreed(
    'PUT of an upload with another digest',
    '400 DIGEST_INVALID, then 404',
    async ({ send, repository, upload }) => {
      const put = await send('PUT', withDigest(await upload(), ABSENT), { body: 'x' });
      return `${await answer(put)}, then ${(await send('HEAD', `/v2/${repository}/blobs/${ABSENT}`)).status}`;
    },
  ),
  agreed('PUT of an upload without a digest', '400 DIGEST_INVALID', async ({ send, upload }) =>
    answer(await send('PUT', await upload(), { body: 'x' })),
  ),
  differs(
    'PUT to an upload that has ended',
    { distribution: '404 BLOB_UPLOAD_UNKNOWN', goContainerregistry: '201', embedded: 'distribution' },
    async ({ send, upload }) => {
      const target = withDigest(await upload(), digestOf('b'));
      await send('PUT', target, { body: 'b' });
      return answer(await send('PUT', target, { body: 'b' }));
    },
  ),
  agreed('chunks are put together', '202 0-2, then 201', async ({ send, upload }) => {
    const first = await send('PATCH', await upload(), chunk('0-2', 'abc'));
    const next = new URL(first.headers.get('location') ?? '', first.url).href;
    const last = await send('PUT', withDigest(next, digestOf('abcde')), { body: 'de' });
    return `${first.status} ${first.headers.get('range')}, then ${last.status}`;
  }),
  differs(
    'a chunk out of order',
    { distribution: '416 RANGE_INVALID', goContainerregistry: '416 BLOB_UPLOAD_UNKNOWN', embedded: 'distribution' },
    async ({ send, upload }) => answer(await send('PATCH', await upload(), chunk('7-9', 'xyz'))),
  ),
  differs(
    'GET of an upload tells how much is there',
    { distribution: '204 0-2', goContainerregistry: '400 null', embedded: 'distribution' },
    async ({ send, upload }) => {
      const first = await send('PATCH', await upload(), chunk('0-2', 'abc'));
      const status = await send('GET', new URL(first.headers.get('location') ?? '', first.url).href);
      return `${status.status} ${status.headers.get('range')}`;
    },
  ),
  differs(
    'DELETE of an upload ends it',
    {
      distribution: '204, then 404 BLOB_UPLOAD_UNKNOWN',
      goContainerregistry: '400 NAME_INVALID, then 400 NAME_INVALID',
      embedded: 'distribution',
    },
    async ({ send, upload }) => {
      const target = await upload();
      return `${await answer(await send('DELETE', target))}, then ${await answer(await send('GET', target))}`;
    },
  ),
  differs(
    'POST of a whole blob',
    { distribution: '202', goContainerregistry: '201', embedded: 'goContainerregistry' },
    async ({ send, repository }) =>
      answer(await send('POST', `/v2/${repository}/blobs/uploads/?digest=${digestOf('c')}`, { body: 'c' })),
  ),
  differs(
    'a mount from where the blob is',
    { distribution: `201 ${digest}`, goContainerregistry: '202', embedded: 'distribution' },
    async ({ send, repository }) => {
      const mounted = await send('POST', `/v2/${repository}/x/blobs/uploads/?mount=${digest}&from=${repository}`);
      return mounted.status === 201 ? `201 ${location(mounted, `/v2/${repository}/x/blobs/`)}` : `${mounted.status}`;
    },
  ),
  agreed('a mount from where the blob is not opens an upload', '202', async ({ send, repository }) =>
    answer(await send('POST', `/v2/${repository}/x/blobs/uploads/?mount=${digest}&from=${repository}/none`)),
  ),
  agreed('a mount that names no source opens an upload', '202', async ({ send, repository }) =>
    answer(await send('POST', `/v2/${repository}/x/blobs/uploads/?mount=${digest}`)),
  ),
  agreed('DELETE of a blob', '202, then 404', async ({ send, repository, pushBlob }) => {
    await pushBlob('d');
    const target = `/v2/${repository}/blobs/${digestOf('d')}`;
    return `${(await send('DELETE', target)).status}, then ${(await send('HEAD', target)).status}`;
  }),
  differs(
    'DELETE of a blob that is not there',
    { distribution: '404 BLOB_UNKNOWN', goContainerregistry: '500 INTERNAL_SERVER_ERROR', embedded: 'distribution' },
    async ({ send, repository }) => answer(await send('DELETE', `/v2/${repository}/blobs/${ABSENT}`)),
  ),
];
