import { UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { applySourceIgnore } from './source-ignore.ts';

/** Paths, or path → content. */
function apply(tree: Record<string, string>): { kept: string[]; ignored: string[] } {
  const files = Object.entries(tree).map(([path, text]) => ({ path, content: Buffer.from(text), executable: false }));
  const result = applySourceIgnore(files);
  return { kept: result.files.map(({ path }) => path), ignored: result.ignored };
}

describe('applySourceIgnore', () => {
  it.each([
    '.gitignore',
    'a/.gitattributes',
    'docs/logo.png',
    'a.tar.gz',
    '.github/workflows/ci.yml',
    'a/.circleci/config.yml',
    '.travis.yml',
    '.gitlab-ci.yml',
    'appveyor.yml',
    '.drone.yml',
    'cloudbuild.yaml',
    'codeship-services.yml',
    'a/b/.goreleaser.yml',
    '.sops.yaml',
    'a/.flux.yaml',
  ])('leaves out %s as Flux does', (path) => {
    expect(apply({ [path]: '', 'app.yaml': '' })).toEqual({ kept: ['app.yaml'], ignored: [path] });
  });

  it.each(['github/ci.yml', 'logo.PNG', 'my.gitlab-ci.yml.yaml', 'sops.yaml', '.gitkeep'])('keeps %s', (path) => {
    expect(apply({ [path]: '' }).kept).toEqual([path]);
  });

  it('applies .sourceignore relative to its directory and never ships it', () => {
    const { kept, ignored } = apply({
      '.sourceignore': '# docs\n*.md\n/top.yaml\n',
      'a/.sourceignore': 'secret/\nb/only.yaml\r\n',
      'README.md': '',
      'top.yaml': '',
      'a/top.yaml': '',
      'a/x/secret/s.yaml': '',
      'a/b/only.yaml': '',
      'a/c/b/only.yaml': '',
      'secret/s.yaml': '',
    });
    expect(kept).toEqual(['a/top.yaml', 'a/c/b/only.yaml', 'secret/s.yaml']);
    expect(ignored).toEqual(['README.md', 'top.yaml', 'a/x/secret/s.yaml', 'a/b/only.yaml']);
  });

  it('lets a deeper file bring back what a higher one ignores, but nothing below an ignored directory', () => {
    const { kept } = apply({
      '!first/.sourceignore': '!keep.md',
      '.sourceignore': '*.md\nclosed/\n',
      '!first/keep.md': '',
      'other/keep.md': '',
      'closed/.sourceignore': '!keep.md',
      'closed/keep.md': '',
    });
    expect(kept).toEqual(['!first/keep.md']);
  });

  it('takes the characters of a directory name literally', () => {
    const { kept } = apply({ 'a[b]*/.sourceignore': 'x.yaml', 'a[b]*/x.yaml': '', 'ab/x.yaml': '' });
    expect(kept).toEqual(['ab/x.yaml']);
  });

  it('cannot bring back a default, which the cluster would drop', () => {
    expect(apply({ '.sourceignore': '!*.png', 'a.png': '' })).toEqual({ kept: [], ignored: ['a.png'] });
  });

  it.each([
    ['too large', Buffer.alloc(64 * 1024 + 1, 'a')],
    ['not UTF-8', Buffer.from([0xff])],
    ['made to be slow', Buffer.from(`${'**/a/'.repeat(5)}b`)],
  ])('refuses a .sourceignore that is %s', (_name, content) => {
    expect(() => applySourceIgnore([{ path: '.sourceignore', content, executable: false }])).toThrow(UserError);
  });
});
