import * as v from 'valibot';
import { agreed, differs, type Question } from './question.ts';
import { answer, answerInFull, digestOf, IMAGE_TYPE, INDEX_TYPE, image, type Place } from './raw.ts';

const digest = digestOf(image());
const ABSENT = digestOf('nobody has this');
const TagsSchema = v.object({ tags: v.nullable(v.array(v.string())) });

/** Status, tags and query of the next page. */
async function list({ send, repository }: Place, query = ''): Promise<string> {
  const got = await send('GET', `/v2/${repository}/tags/list${query}`);
  if (got.status !== 200) {
    return answer(got);
  }
  const { tags } = v.parse(TagsSchema, await got.json());
  const next = /^<[^>?]*(\?[^>]*)>; rel="next"$/.exec(got.headers.get('link') ?? '')?.[1];
  return [String(tags), ...(next === undefined ? [] : [next])].join(' ');
}

async function listOfFour(place: Place, query?: string): Promise<string> {
  for (const tag of ['b', 'B', 'a']) {
    await place.putManifest(tag, image());
  }
  return list(place, query);
}

export const TAG_QUESTIONS: readonly Question[] = [
  agreed('all tags, sorted by character code', 'B,a,b,v1', (place) => listOfFour(place)),
  differs(
    'the first page',
    { distribution: 'B,a ?last=a&n=2', goContainerregistry: 'B,a', embedded: 'distribution' },
    (place) => listOfFour(place, '?n=2'),
  ),
  differs(
    'a full page that is the last one',
    { distribution: 'b,v1 ?last=v1&n=2', goContainerregistry: 'b,v1', embedded: 'distribution' },
    (place) => listOfFour(place, '?n=2&last=a'),
  ),
  agreed('a page that is not full', 'v1', (place) => listOfFour(place, '?n=2&last=b')),
  agreed('what comes after a tag that is not there', 'b,v1', (place) => listOfFour(place, '?last=aa')),
  differs(
    'what comes after the last tag',
    { distribution: '', goContainerregistry: 'B,a,b,v1', embedded: 'distribution' },
    (place) => listOfFour(place, '?last=z'),
  ),
  agreed('a page of none', '', (place) => listOfFour(place, '?n=0')),
  differs(
    'a page of no number',
    { distribution: '400 PAGINATION_NUMBER_INVALID', goContainerregistry: '400 BAD_REQUEST', embedded: 'distribution' },
    (place) => list(place, '?n=x'),
  ),
  differs(
    'tags of a repository whose only tag was deleted',
    { distribution: '', goContainerregistry: 'null', embedded: 'distribution' },
    async (place) => {
      await place.send('DELETE', `/v2/${place.repository}/manifests/v1`);
      return list(place);
    },
  ),
  differs(
    'tags of a repository that is not there',
    {
      distribution: '404 NAME_UNKNOWN {"name":"none/such"}',
      goContainerregistry: '404 NAME_UNKNOWN undefined',
      embedded: 'distribution',
    },
    async ({ send }) => answerInFull(await send('GET', '/v2/none/such/tags/list')),
  ),
  agreed('tags of what cannot be a repository', '404 NAME_UNKNOWN', async ({ send }) =>
    answer(await send('GET', '/v2/None/such/tags/list')),
  ),
  differs(
    'POST to a list of tags',
    { distribution: '405', goContainerregistry: '400 METHOD_UNKNOWN', embedded: 'distribution' },
    async ({ send, repository }) => answer(await send('POST', `/v2/${repository}/tags/list`)),
  ),
];

const NOTE = 'application/vnd.example.note';
const ReferrersSchema = v.object({
  mediaType: v.literal(INDEX_TYPE),
  manifests: v.array(v.looseObject({ digest: v.string() })),
});
const note = image({
  artifactType: NOTE,
  annotations: { written: 'yes' },
  subject: { mediaType: IMAGE_TYPE, digest, size: image().length },
});

async function referrers(place: Place, subject = digest, query = ''): Promise<string> {
  const put = await place.putManifest(digestOf(note), note);
  const got = await place.send('GET', `/v2/${place.repository}/referrers/${subject}${query}`);
  if (got.status !== 200) {
    return answer(got);
  }
  const { manifests } = v.parse(ReferrersSchema, await got.json());
  const listed = manifests.map(
    (one) => `${one.digest === digestOf(note)} ${one['artifactType']} ${JSON.stringify(one['annotations'])}`,
  );
  return [put.status, got.headers.get('oci-filters-applied'), ...listed].join(' ');
}

const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';

export const REFERRER_QUESTIONS: readonly Question[] = [
  differs(
    'OCI-Subject in the answer to a PUT',
    { distribution: 'null', goContainerregistry: 'null', embedded: { specification: digest }, isAboutReferrers: true },
    async ({ putManifest }) => String((await putManifest(digestOf(note), note)).headers.get('oci-subject')),
  ),
  differs(
    'the referrers of a digest',
    {
      distribution: '404',
      // It takes the type of the config for the type of the artifact, and leaves annotations out.
      goContainerregistry: `201  true ${EMPTY_TYPE} undefined`,
      embedded: { specification: `201  true ${NOTE} {"written":"yes"}` },
      isAboutReferrers: true,
    },
    (place) => referrers(place),
  ),
  differs(
    'the referrers of another type',
    {
      distribution: '404',
      goContainerregistry: `201  true ${EMPTY_TYPE} undefined`,
      embedded: { specification: '201 artifactType' },
      isAboutReferrers: true,
    },
    (place) => referrers(place, digest, '?artifactType=application/x'),
  ),
  differs(
    'the referrers of a digest that is not there',
    { distribution: '404', goContainerregistry: '201 ', embedded: 'goContainerregistry', isAboutReferrers: true },
    (place) => referrers(place, ABSENT),
  ),
  differs(
    'the referrers of a malformed digest',
    {
      distribution: '404',
      goContainerregistry: '400 UNSUPPORTED',
      embedded: 'goContainerregistry',
      isAboutReferrers: true,
    },
    (place) => referrers(place, 'sha256:abc'),
  ),
  differs(
    'the referrers in a repository that is not there',
    {
      distribution: '404',
      goContainerregistry: '404 NAME_UNKNOWN',
      embedded: 'goContainerregistry',
      isAboutReferrers: true,
    },
    async ({ send }) => answer(await send('GET', `/v2/none/such/referrers/${digest}`)),
  ),
];
