import type { Place } from './raw.ts';
import type { RegistryKind } from './registry.ts';

/** One thing that a registry is asked, and what each of them answers. */
export interface Question {
  readonly what: string;
  /** What is seen, as a line. */
  ask(place: Place): Promise<string>;
  readonly distribution: string;
  readonly goContainerregistry: string;
  /**
   * Whom the embedded registry follows. Neither is followed only where both fall short of the specification
   * (distribution-spec 1.1), as other registries do not; then this is what the specification says.
   */
  readonly embedded: 'distribution' | 'goContainerregistry' | { readonly specification: string };
  /** About the referrers API: without it the embedded registry answers as distribution, which has none. */
  readonly isAboutReferrers?: boolean;
}

/** A question that all registries answer alike. */
export function agreed(what: string, answer: string, ask: Question['ask']): Question {
  return { what, ask, distribution: answer, goContainerregistry: answer, embedded: 'distribution' };
}

/** A question that the real registries answer differently. */
export function differs(
  what: string,
  answers: Pick<Question, 'distribution' | 'goContainerregistry' | 'embedded' | 'isAboutReferrers'>,
  ask: Question['ask'],
): Question {
  return { what, ask, ...answers };
}

export function expectedAnswer(question: Question, kind: RegistryKind, hasReferrers: boolean): string {
  const { distribution, goContainerregistry, embedded, isAboutReferrers = false } = question;
  switch (kind) {
    case 'distribution':
      return distribution;
    case 'go-containerregistry':
      return goContainerregistry;
    case 'embedded': {
      const followed = isAboutReferrers && !hasReferrers ? 'distribution' : embedded;
      return typeof followed === 'string' ? question[followed] : followed.specification;
    }
  }
}
