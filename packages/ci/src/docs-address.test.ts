import { describe, expect, it } from 'vitest';
import { docsAddress } from './docs-address.ts';

const env = {
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_ACTION_REPOSITORY: 'acme/gitless',
  GITHUB_ACTION_REF: '5e2dac35ed54f4a780349554a94a1f55d4c20a63',
};

describe('docsAddress', () => {
  it('is the docs folder of the action at the commit that runs', () => {
    const address = 'https://github.com/acme/gitless/blob/5e2dac35ed54f4a780349554a94a1f55d4c20a63/docs';
    expect(docsAddress(env)).toBe(address);
  });

  it.each<[string, Record<string, string>]>([
    ['an action of the checkout', { GITHUB_ACTION_REPOSITORY: '' }],
    ['no ref', { GITHUB_ACTION_REF: '' }],
    ['a server without https', { GITHUB_SERVER_URL: 'http://github.com' }],
    ['a repository that is none', { GITHUB_ACTION_REPOSITORY: 'acme/gitless)](https://evil.example' }],
  ])('is no link for %s', (_name, change) => {
    expect(docsAddress({ ...env, ...change })).toBe('docs');
  });
});
