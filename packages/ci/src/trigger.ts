import { type Build, UserError } from '@gitless/core';
import { type Event, isDefaultBranch } from './github.ts';

const TRUSTED_EVENTS = ['push', 'workflow_dispatch', 'schedule'];

/** The inputs of `triggerInputs`. */
export interface TriggerRules {
  readonly 'allow-events': readonly string[];
  /** Full refs; a `*` at the end stands for any rest. */
  readonly 'allow-refs': readonly string[];
}

export interface Trigger {
  readonly onDefaultBranch: boolean;
  /** Opt-ins of the workflow file that this run needed, for record and summary. */
  readonly optIns: readonly string[];
}

/**
 * Invariant 12: no token for untrusted triggers. Accepts `push`, `workflow_dispatch` and `schedule` on the default branch, and what
 * the workflow file names. Called before any token is asked for. Throws `EVENT_REFUSED`, `REF_REFUSED` or `BAD_ALLOW_REF`.
 */
export function requireTrustedTrigger(build: Build, event: Event, rules: TriggerRules): Trigger {
  for (const pattern of rules['allow-refs']) {
    requireRefPattern(pattern);
  }
  const optIns: string[] = [];
  if (!TRUSTED_EVENTS.includes(build.eventName)) {
    if (!rules['allow-events'].includes(build.eventName)) {
      throw new UserError({
        code: 'EVENT_REFUSED',
        what: `the event ${build.eventName} may not sign or publish`,
        why: 'others than those who may merge can cause it, so no token is asked for',
        fix: `start this job by ${new Intl.ListFormat('en', { type: 'disjunction' }).format(TRUSTED_EVENTS)}, or name the event under allow-events in the workflow file`,
      });
    }
    optIns.push(`allow-events: ${build.eventName}`);
  }
  const onDefaultBranch = isDefaultBranch(build, event);
  if (!onDefaultBranch) {
    const rule = rules['allow-refs'].find((pattern) => matchesRef(pattern, build.ref));
    if (rule === undefined) {
      throw new UserError({
        code: 'REF_REFUSED',
        what: `${build.ref} is not the default branch`,
        details: [defaultBranchOf(event)],
        why: 'what is signed here would carry an identity that clusters accept',
        fix: 'run on the default branch, or name the ref under allow-refs in the workflow file',
      });
    }
    optIns.push(`allow-refs: ${rule}`);
  }
  return { onDefaultBranch, optIns };
}

function defaultBranchOf(event: Event): string {
  const name = event.repository?.default_branch;
  return name === undefined ? 'the event says nothing about the default branch' : `the default branch is ${name}`;
}

function requireRefPattern(pattern: string): void {
  const star = pattern.indexOf('*');
  if (!pattern.startsWith('refs/') || (star !== -1 && star !== pattern.length - 1)) {
    throw new UserError({
      code: 'BAD_ALLOW_REF',
      what: `allow-refs holds ${JSON.stringify(pattern)}, which is not a full ref or has * elsewhere than at its end`,
      fix: 'write refs/heads/release, or refs/heads/release/* for all that begin so',
    });
  }
}

function matchesRef(pattern: string, ref: string): boolean {
  const star = pattern.indexOf('*');
  return star === -1 ? pattern === ref : ref.startsWith(pattern.slice(0, -1));
}
