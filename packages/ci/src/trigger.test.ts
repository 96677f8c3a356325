import { githubEnvironment } from '@gitless/testkit';
import { describe, expect, it } from 'vitest';
import { readBuild } from './github.ts';
import { requireTrustedTrigger, type TriggerRules } from './trigger.ts';

const MAIN = 'refs/heads/main';
const NONE: TriggerRules = { 'allow-events': [], 'allow-refs': [] };

function decide(
  eventName: string,
  ref: string,
  rules: Partial<TriggerRules> = {},
  defaultBranch: string | null = 'main',
) {
  const build = readBuild(githubEnvironment({ GITHUB_EVENT_NAME: eventName, GITHUB_REF: ref }));
  const event = defaultBranch === null ? {} : { repository: { default_branch: defaultBranch } };
  return requireTrustedTrigger(build, event, { ...NONE, ...rules });
}

describe('requireTrustedTrigger (invariant 12)', () => {
  it.each(['push', 'workflow_dispatch', 'schedule'])('takes %s on the default branch without opt-in', (event) => {
    expect(decide(event, MAIN)).toEqual({ onDefaultBranch: true, optIns: [] });
  });

  it('takes a schedule whose payload does not tell the default branch', () => {
    expect(decide('schedule', MAIN, {}, null)).toEqual({ onDefaultBranch: true, optIns: [] });
  });

  it.each([
    'pull_request',
    'pull_request_target',
    'workflow_run',
    'workflow_call',
    'repository_dispatch',
    'issue_comment',
    'release',
    'merge_group',
    'PUSH',
    'push ',
    '*',
  ])('refuses %s, also on the default branch', (event) => {
    expect(() => decide(event, MAIN)).toThrow(expect.objectContaining({ code: 'EVENT_REFUSED' }));
    expect(() => decide(event, MAIN, { 'allow-refs': ['refs/*'] })).toThrow(
      expect.objectContaining({ code: 'EVENT_REFUSED' }),
    );
  });

  it.each([
    ['push', 'refs/heads/release'],
    ['push', 'refs/tags/v1.0.0'],
    ['push', 'refs/tags/main'],
    ['workflow_dispatch', 'refs/heads/main2'],
    ['schedule', 'refs/heads/other'],
  ])('refuses %s on %s', (event, ref) => {
    expect(() => decide(event, ref)).toThrow(expect.objectContaining({ code: 'REF_REFUSED' }));
    expect(() => decide(event, ref, { 'allow-events': [event, 'release'] })).toThrow(
      expect.objectContaining({ code: 'REF_REFUSED' }),
    );
  });

  it('refuses a push whose payload does not tell the default branch', () => {
    expect(() => decide('push', MAIN, {}, null)).toThrow(expect.objectContaining({ code: 'REF_REFUSED' }));
  });

  it.each([
    ['release', MAIN, { 'allow-events': ['release'] }, true, ['allow-events: release']],
    ['push', 'refs/heads/release', { 'allow-refs': ['refs/heads/release'] }, false, ['allow-refs: refs/heads/release']],
    ['push', 'refs/tags/v1', { 'allow-refs': ['refs/heads/x', 'refs/tags/*'] }, false, ['allow-refs: refs/tags/*']],
    [
      'release',
      'refs/tags/v1',
      { 'allow-events': ['release'], 'allow-refs': ['refs/tags/v*'] },
      false,
      ['allow-events: release', 'allow-refs: refs/tags/v*'],
    ],
    ['push', MAIN, { 'allow-events': ['release'], 'allow-refs': ['refs/heads/*'] }, true, []],
  ])('takes %s on %s by %j, and names the opt-ins that it needed', (event, ref, rules, onDefaultBranch, optIns) => {
    expect(decide(event, ref, rules)).toEqual({ onDefaultBranch, optIns });
  });

  it.each([
    ['refs/heads/release', 'refs/heads/release/1'],
    ['refs/heads/release/*', 'refs/heads/release'],
    ['refs/heads/rel', 'refs/heads/release'],
    ['refs/heads/Release', 'refs/heads/release'],
    ['refs/tags/*', 'refs/heads/tags/v1'],
  ])('does not stretch the rule %s to %s', (rule, ref) => {
    expect(() => decide('push', ref, { 'allow-refs': [rule] })).toThrow(
      expect.objectContaining({ code: 'REF_REFUSED' }),
    );
  });

  it.each(['release', '*', 'heads/release', 'refs/*/release', 'refs/heads/*/*', 'refs/heads/**', '/^refs/'])(
    'refuses the rule %j, even where it is not needed',
    (rule) => {
      expect(() => decide('push', MAIN, { 'allow-refs': ['refs/heads/x', rule] })).toThrow(
        expect.objectContaining({ code: 'BAD_ALLOW_REF', message: expect.stringContaining(JSON.stringify(rule)) }),
      );
    },
  );
});
