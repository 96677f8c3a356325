import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@gitless/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { markdownToHtml } from '../../scripts/demo/markdown.ts';
import { ROOT } from '../../scripts/repository.ts';

const TAGS = new Set(
  'html head meta title style body h1 h2 h3 h4 h5 h6 p nav a section div table tbody tr th td ul li details summary pre code blockquote strong wbr'.split(
    ' ',
  ),
);
const VOID = new Set(['meta', 'wbr']);

/** Fails on a tag that the renderer does not write, on one that is not closed where it should be, and on a stray bracket. */
function requireWellFormed(html: string): void {
  const open: string[] = [];
  const text = html.replace(/^<!doctype html>/, '').replaceAll(/<(\/?)([a-z0-9]+)([^<>]*)>/g, (tag, close, name) => {
    expect(TAGS, tag).toContain(name);
    if (close === '/') {
      expect(open.pop(), tag).toBe(name);
    } else if (!VOID.has(name)) {
      open.push(name);
    }
    return '';
  });
  expect(open).toEqual([]);
  expect(text).not.toMatch(/[<>]/);
}

interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

/** The script behind `npm run demo`, with a pipe in place of a terminal. */
function runDemo(folder: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const args = ['--import', './scripts/require-node24.mjs', 'scripts/demo.ts', folder];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr });
    });
  });
}

describe('npm run demo', () => {
  let temp: string;
  let folder: string;
  let run: Ended;
  const text = (path: string) => readFile(join(folder, path), 'utf8');
  beforeAll(async () => {
    temp = await mkdtemp(join(tmpdir(), 'demo-test-'));
    folder = join(temp, 'output');
    run = await runDemo(folder);
  }, 60_000);
  afterAll(() => rm(temp, { recursive: true, force: true }));

  it('goes from a commit to production and shows a forgery refused', () => {
    expect(run.exitCode, run.output).toBe(0);
    const steps = [...run.output.matchAll(/^ {2}✓ (.+?) +\d+\.\d\d s$/gm)].map(([, name]) => name);
    expect(steps).toEqual([
      'render',
      'package',
      'sign',
      'push',
      'promote (preview)',
      'promote (gated)',
      'forge',
      'refuse',
      'verify',
    ]);
    expect(run.output).toMatch(/code +EVIDENCE_INCOMPLETE\n/);
    expect(run.output).toMatch(/rejected sha256:.*: the statement is about another artifact/);
    expect(run.output).toMatch(/promoted by +https:\/\/github\.com\/acme\/shop\/\.github\/workflows\/promote\.yml@/);
    expect(run.output).toMatch(/report\.html +look here first/);
  });

  it('writes no control characters into a pipe', () => {
    expect(run.output).not.toMatch(/[^\n\P{Cc}]/u);
  });

  it('leaves behind what it says', async () => {
    expect((await readdir(folder)).sort()).toEqual([
      'bundles',
      'registry',
      'report.html',
      'results',
      'summaries',
      'trusted_root.json',
    ]);
    expect(await readdir(join(folder, 'summaries'))).toHaveLength(7);
    expect(await readdir(join(folder, 'bundles'))).toHaveLength(6);
    for (const file of await readdir(join(folder, 'results'))) {
      expect(JSON.parse(await text(`results/${file}`)), file).toMatchObject({ schema: 1 });
    }
    expect(JSON.parse(await text('trusted_root.json'))).toHaveProperty('certificateAuthorities');
    expect(await text('summaries/7-promote-forged.md')).toMatch(/^## Not promoted\n/);
  });

  it('promoted the digest that was shipped, and nothing else', async () => {
    const digest = (await text('registry/acme/web/_tags/latest')).trim();
    expect(run.output).toContain(`artifact           ${digest}`);
    expect(await readdir(join(folder, 'registry/acme-production/web/_tags'))).toEqual(['stable', 'v1.0.0']);
    for (const tag of ['stable', 'v1.0.0']) {
      expect((await text(`registry/acme-production/web/_tags/${tag}`)).trim()).toBe(digest);
    }
    const manifest = await text(`registry/acme-production/web/_manifests/${digest.replace(':', '-')}.json`);
    expect(sha256(manifest)).toBe(digest);
  });

  it('writes one self-contained page with everything escaped', async () => {
    const html = await text('report.html');
    requireWellFormed(html);
    expect(html).not.toMatch(/ (?:src|srcset|on\w+)=|@import|url\(/);
    expect([...html.matchAll(/href="([^"]*)"/g)].map(([, target]) => target?.[0])).toEqual(Array(8).fill('#'));
    expect(html).toContain('CHG-1042: new prices &amp; limits');
    expect(html).toContain('<h2>Not promoted</h2>');
  });

  it('touches no folder that holds something else', async () => {
    const foreign = await mkdtemp(join(temp, 'foreign-'));
    await writeFile(join(foreign, 'thesis.txt'), 'keep');
    const { exitCode, output } = await runDemo(foreign);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/The demo failed\. .*thesis\.txt/);
    expect(await readdir(foreign)).toEqual(['thesis.txt']);
  });

  it('says what is missing', async () => {
    const { exitCode, output } = await runDemo(join(temp, 'without-git'), { PATH: temp });
    expect(exitCode).toBe(1);
    expect(output).toMatch(/The demo failed\. git is not on PATH/);
  }, 30_000);
});

describe('the page of a summary', () => {
  it('shows what summaries are made of', () => {
    const summary = [
      '## Title',
      '| A | B |',
      '| --- | --- |',
      '| a&#124;b | &lt;b&gt; |',
      '',
      '<details><summary>More (1)</summary>',
      '',
      '- **bold** and `code`',
      '',
      '````yaml',
      '```',
      'a: <b>',
      '````',
      '',
      '</details>',
    ];
    expect(markdownToHtml(summary.join('\n')).replaceAll('\n', '')).toBe(
      '<h2>Title</h2><div class="wide"><table><tr><th>A</th><th>B</th></tr><tr><td>a|b</td><td>&lt;b&gt;</td></tr></table></div>' +
        '<details><summary>More (1)</summary><ul><li><strong>bold</strong> and <code>code</code></li></ul>' +
        '<pre><code>```a: &lt;b&gt;</code></pre></details>',
    );
  });

  it('lets no input through unescaped, whatever stands in a summary', () => {
    const piece = fc.constantFrom(
      '<script>',
      '<details><summary>',
      '</summary>',
      '</details>',
      '&#60;img onerror=x&#62;',
      '&amp;lt;',
      '"\'',
      '`',
      '```',
      '**',
      '| a |',
      '| --- |',
      '- ',
      '> ',
      '# ',
      '\n',
      ' ',
    );
    const markdown = fc.array(fc.oneof(piece, fc.string())).map((pieces) => pieces.join(''));
    fc.assert(fc.property(markdown, (text) => requireWellFormed(markdownToHtml(text))));
  });
});
