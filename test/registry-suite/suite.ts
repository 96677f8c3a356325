import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineAuthenticationTests } from './authentication.ts';
import { BLOB_QUESTIONS } from './blob-questions.ts';
import { defineContentTests } from './content.ts';
import { REFERRER_QUESTIONS, TAG_QUESTIONS } from './list-questions.ts';
import { MANIFEST_QUESTIONS } from './manifest-questions.ts';
import { expectedAnswer, type Question } from './question.ts';
import { EMPTY, image, placeIn } from './raw.ts';
import { defineReferrerTests } from './referrers.ts';
import type { RegistryUnderTest, RunningRegistry } from './registry.ts';
import { defineTagTests } from './tags.ts';

/**
 * What a registry answers, and what our client makes of it. The same for the embedded registry and for real ones, so
 * that they cannot drift apart: where real ones differ, each question says how, and whom the embedded one follows.
 */
export function defineRegistrySuite(registry: RegistryUnderTest): void {
  describe(`registry: ${registry.name}`, () => {
    let running: RunningRegistry;
    beforeAll(async () => {
      running = await registry.start();
    });
    afterAll(() => running?.close());

    defineQuestions('blobs', BLOB_QUESTIONS);
    defineQuestions('manifests', MANIFEST_QUESTIONS);
    defineQuestions('tags', TAG_QUESTIONS);
    defineQuestions('referrers', REFERRER_QUESTIONS);
    defineContentTests(registry, () => running);
    defineTagTests(registry, () => running);
    defineReferrerTests(registry, () => running);
    defineAuthenticationTests(registry, () => running);

    function defineQuestions(subject: string, questions: readonly Question[]): void {
      it.each(questions.map((question, index) => [`${subject}: ${question.what}`, question, index] as const))(
        '%s',
        async (_name, question, index) => {
          const place = placeIn(running, `${subject}/asked-${index}`);
          await place.pushBlob(EMPTY);
          expect((await place.putManifest('v1', image())).status).toBe(201);
          expect(await question.ask(place)).toBe(expectedAnswer(question, registry.kind, running.referrers));
        },
      );
    }
  });
}
