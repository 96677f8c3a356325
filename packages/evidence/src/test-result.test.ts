import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { TestResultSchema, testResultPredicate } from './test-result.ts';

const checks = [
  { name: 'schema', description: 'every object against Kubernetes 1.36' },
  { name: 'no-remote-resources', description: 'every kustomization stays inside the component' },
];

describe('testResultPredicate', () => {
  it('names the checks that passed, and what each was', () => {
    expect(testResultPredicate({ checks })).toEqual({
      result: 'PASSED',
      configuration: [
        {
          name: 'no-remote-resources',
          uri: 'https://gitless.dev/checks/no-remote-resources',
          annotations: { description: 'every kustomization stays inside the component' },
        },
        {
          name: 'schema',
          uri: 'https://gitless.dev/checks/schema',
          annotations: { description: 'every object against Kubernetes 1.36' },
        },
      ],
      passedTests: ['no-remote-resources', 'schema'],
    });
  });

  it('never says that nothing passed', () => {
    expect(() => testResultPredicate({ checks: [] })).toThrow(RangeError);
  });
});

describe('TestResultSchema', () => {
  it('reads back what was written, and nothing that did not pass', () => {
    const written = testResultPredicate({ checks });
    expect(v.is(TestResultSchema, written)).toBe(true);
    for (const change of [{ result: 'FAILED' }, { result: 'WARNED' }, { passedTests: [] }]) {
      expect(v.is(TestResultSchema, { ...written, ...change })).toBe(false);
    }
  });
});
