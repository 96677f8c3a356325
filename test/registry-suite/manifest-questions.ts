import { agreed, differs, type Question } from './question.ts';
import { answer, answerInFull, digestOf, EMPTY_LAYER, IMAGE_TYPE, INDEX_TYPE, image, index, location } from './raw.ts';

const digest = digestOf(image());
const ABSENT = digestOf('nobody has this');
const described = { mediaType: IMAGE_TYPE, digest, size: image().length };
const DOCKER_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
/** What distribution hides or refuses, go-containerregistry gives or takes. */
const strict = (refusal: string, lenient = '201') =>
  ({ distribution: refusal, goContainerregistry: lenient, embedded: 'distribution' }) as const;

export const MANIFEST_QUESTIONS: readonly Question[] = [
  agreed('GET by tag gives the bytes, their type and digest', `200 ${IMAGE_TYPE} ${digest} true`, async (place) => {
    const got = await place.getManifest('v1', `text/x, ${IMAGE_TYPE};q=0.5`);
    const { headers } = got;
    const isSame = (await got.text()) === image();
    return `${got.status} ${headers.get('content-type')} ${headers.get('docker-content-digest')} ${isSame}`;
  }),
  agreed(
    'HEAD by digest gives type, size and digest',
    `200 ${IMAGE_TYPE} 380 ${digest}`,
    async ({ send, repository }) => {
      const head = await send('HEAD', `/v2/${repository}/manifests/${digest}`, { headers: { accept: IMAGE_TYPE } });
      const seen = ['content-type', 'content-length', 'docker-content-digest'].map((name) => head.headers.get(name));
      return [head.status, ...seen].join(' ');
    },
  ),
  differs('the entity tag', strict(`"${digest}"`, 'null'), async ({ getManifest }) =>
    String((await getManifest('v1')).headers.get('etag')),
  ),
  differs('GET of what one has already', strict('304', '200'), async ({ send, repository }) => {
    const headers = { accept: IMAGE_TYPE, 'if-none-match': `"${digest}"` };
    return String((await send('GET', `/v2/${repository}/manifests/v1`, { headers })).status);
  }),
  agreed('PUT on a condition that does not hold, which nobody looks at', '201', async ({ send, repository }) => {
    const headers = { 'content-type': IMAGE_TYPE, 'if-match': `"${ABSENT}"` };
    return answer(await send('PUT', `/v2/${repository}/manifests/v1`, { headers, body: image({ annotations: {} }) }));
  }),
  differs('GET of an image by a client that takes anything', strict('404 MANIFEST_UNKNOWN', '200'), async (place) =>
    answer(await place.getManifest('v1', '*/*')),
  ),
  differs('GET of an image by a client that takes indexes', strict('404 MANIFEST_UNKNOWN', '200'), async (place) =>
    answer(await place.getManifest('v1', `${INDEX_TYPE}, ${DOCKER_TYPE}`)),
  ),
  differs('HEAD of an image by a client that takes indexes', strict('404', '200'), async ({ send, repository }) =>
    answer(await send('HEAD', `/v2/${repository}/manifests/v1`, { headers: { accept: INDEX_TYPE } })),
  ),
  agreed('GET of an index by a client that takes images', `200 ${INDEX_TYPE}`, async ({ putManifest, getManifest }) => {
    await putManifest('all', index([described]), INDEX_TYPE);
    const got = await getManifest('all', IMAGE_TYPE);
    return `${got.status} ${got.headers.get('content-type')}`;
  }),
  differs(
    'GET of a tag that is not there',
    strict('404 MANIFEST_UNKNOWN "unknown tag=v2"', '404 MANIFEST_UNKNOWN undefined'),
    async ({ getManifest }) => answerInFull(await getManifest('v2')),
  ),
  differs(
    'GET of a digest that is not there',
    strict('404 MANIFEST_UNKNOWN string', '404 MANIFEST_UNKNOWN undefined'),
    async ({ getManifest, repository }) =>
      (await answerInFull(await getManifest(ABSENT))).replace(
        `"unknown manifest name=${repository} revision=${ABSENT}"`,
        'string',
      ),
  ),
  differs(
    'GET of a tag in a repository that is not there',
    strict('404 MANIFEST_UNKNOWN', '404 NAME_UNKNOWN'),
    async ({ send, repository }) => answer(await send('GET', `/v2/${repository}/none/manifests/v1`)),
  ),
  differs('GET of a malformed digest', strict('400 DIGEST_INVALID', '404 MANIFEST_UNKNOWN'), async ({ getManifest }) =>
    answer(await getManifest('sha256:abc')),
  ),
  differs('PUT under what cannot be a tag', strict('404'), async ({ putManifest }) =>
    answer(await putManifest('-v1', image())),
  ),
  differs('PUT names the new manifest', strict(`201 ${digest}`, '201 nowhere'), async ({ putManifest, repository }) => {
    const put = await putManifest('v2', image());
    return `${put.status} ${location(put, `/v2/${repository}/manifests/`)}`;
  }),
  differs('PUT under another digest', strict('400 DIGEST_INVALID'), async ({ putManifest }) =>
    answer(await putManifest(ABSENT, image())),
  ),
  differs('PUT of an image that calls itself an index', strict('400 MANIFEST_INVALID'), async ({ putManifest }) =>
    answer(await putManifest('v2', image({ mediaType: INDEX_TYPE }))),
  ),
  differs('PUT of an image as an index', strict('400 MANIFEST_INVALID'), async ({ putManifest }) =>
    answer(await putManifest('v2', image(), INDEX_TYPE)),
  ),
  differs('PUT of an image that is an index too', strict('400 MANIFEST_INVALID'), async ({ putManifest }) =>
    answer(await putManifest('v2', image({ manifests: [] }))),
  ),
  differs('PUT of an unknown type', strict('400 MANIFEST_INVALID'), async ({ putManifest }) =>
    answer(await putManifest('v2', image(), 'application/json')),
  ),
  agreed('PUT of a type with parameters', '201', async ({ putManifest }) =>
    answer(await putManifest('v2', image(), `${IMAGE_TYPE}; charset=utf-8`)),
  ),
  agreed('PUT of an image that names no type', '201', async ({ putManifest }) =>
    answer(await putManifest('v2', image({ mediaType: undefined }))),
  ),
  differs('PUT of what is not JSON', strict('400 MANIFEST_INVALID'), async ({ putManifest }) =>
    answer(await putManifest('v2', '{')),
  ),
  differs('PUT of more than 4 MiB', strict('400 MANIFEST_INVALID'), async ({ putManifest }) =>
    answer(await putManifest('v2', image({ annotations: { a: 'x'.repeat(4 << 20) } }))),
  ),
  differs(
    'PUT of an image with layers that are not there',
    strict(`400 MANIFEST_BLOB_UNKNOWN "${ABSENT}" MANIFEST_BLOB_UNKNOWN "${digest}"`),
    async ({ putManifest }) => {
      const layers = [ABSENT, digest].map((unknown) => ({ ...EMPTY_LAYER, digest: unknown }));
      return answerInFull(await putManifest('v2', image({ layers })));
    },
  ),
  differs(
    'PUT of an image with a config that is not there',
    strict('400 MANIFEST_BLOB_UNKNOWN'),
    async ({ putManifest }) => answer(await putManifest('v2', image({ config: { ...EMPTY_LAYER, digest: ABSENT } }))),
  ),
  differs(
    'PUT of an index with a manifest that is not there',
    strict('400 MANIFEST_BLOB_UNKNOWN', '404 MANIFEST_UNKNOWN'),
    async ({ putManifest }) => answer(await putManifest('v2', index([{ ...described, digest: ABSENT }]), INDEX_TYPE)),
  ),
  agreed('PUT of an image with a layer of another size', '201', async ({ putManifest }) =>
    answer(await putManifest('v2', image({ layers: [{ ...EMPTY_LAYER, size: 99 }] }))),
  ),
  agreed('PUT of an image about one that is not there', '201', async ({ putManifest }) =>
    answer(await putManifest('v2', image({ subject: { ...described, digest: ABSENT } }))),
  ),
  agreed('DELETE of a tag leaves what it named', '202, then 404 and 200', async (place) => {
    const gone = await place.send('DELETE', `/v2/${place.repository}/manifests/v1`);
    const [tag, kept] = [await place.getManifest('v1'), await place.getManifest(digest)];
    return `${gone.status}, then ${tag.status} and ${kept.status}`;
  }),
  agreed('DELETE of a tag that is not there', '404 MANIFEST_UNKNOWN', async ({ send, repository }) =>
    answer(await send('DELETE', `/v2/${repository}/manifests/v2`)),
  ),
  differs(
    'DELETE of a digest and its tags',
    strict('202, then 404 and 404', '202, then 404 and 200'),
    async (place) => {
      const gone = await place.send('DELETE', `/v2/${place.repository}/manifests/${digest}`);
      const [kept, tag] = [await place.getManifest(digest), await place.getManifest('v1')];
      return `${gone.status}, then ${kept.status} and ${tag.status}`;
    },
  ),
  differs('POST to a manifest', strict('405', '400 METHOD_UNKNOWN'), async ({ send, repository }) =>
    answer(await send('POST', `/v2/${repository}/manifests/v1`)),
  ),
];
