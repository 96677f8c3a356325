import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeBlock, details, escapeMarkdown, table } from './markdown.ts';

const hostile = fc.string({ unit: fc.constantFrom(...'<>|`\n\r\\*_[]()!~@#&;:/ abc0\u2028\u2029\t-+=') });

describe('escapeMarkdown', () => {
  it('leaves nothing that ends a cell, a line or a code span, or begins HTML, a link or a mention', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' })), (text) => {
        expect(escapeMarkdown(text)).not.toMatch(/[<>|`\n\r\u2028\u2029[\]\\*_~@!]|#(?!\d+;)|&(?!(amp|lt|gt|#\d+);)/);
      }),
    );
  });

  it('reads as what it was, white space apart', () => {
    const names: Record<string, string> = { amp: '&', lt: '<', gt: '>' };
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = escapeMarkdown(text).replace(/&(#\d+|\w+);/g, (_entity, name: string) =>
          name.startsWith('#') ? String.fromCharCode(Number(name.slice(1))) : (names[name] ?? ''),
        );
        expect(shown).toBe(text.replace(/\s+/g, ' '));
      }),
    );
  });

  it('leaves ordinary names as they are', () => {
    const name = 'ghcr.io/acme/web-api:v1.2.3 (12 files, 3 %)';
    expect(escapeMarkdown(name)).toBe(name);
  });
});

describe('table', () => {
  it('has as many rows and cells as it was given, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(hostile, hostile)), (rows) => {
        const lines = table(['Component', 'Digest'], rows).split('\n');
        expect(lines).toHaveLength(2 + rows.length);
        for (const line of lines) {
          expect(line.split('|')).toHaveLength(4);
        }
      }),
    );
  });

  it('is GitHub’s', () => {
    expect(table(['a', 'b'], [['1', '<x>']])).toBe('| a | b |\n| --- | --- |\n| 1 | &lt;x&gt; |');
  });
});

describe('details', () => {
  it('is one fold with one entry a line, and nothing without entries', () => {
    expect(details('Files', [])).toEqual([]);
    expect(details('</summary>', ['a\n- b', '</details>'])).toEqual([
      '<details><summary>&lt;/summary&gt; (2)</summary>\n\n- a - b\n- &lt;/details&gt;\n\n</details>',
    ]);
  });
});

describe('codeBlock', () => {
  it('is left by nothing that it holds', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('`', '```', '\n', '\n```\n', '~~~', 'x', ' ')), (parts) => {
        const lines = codeBlock('yaml', parts.join('')).split('\n');
        const fence = lines.at(-1) ?? '';
        expect(lines[0]).toBe(`${fence}yaml`);
        expect(fence).toMatch(/^`{3,}$/);
        for (const line of lines.slice(1, -1)) {
          expect(line).not.toContain(fence);
        }
      }),
    );
  });

  it('takes a block with very many code marks', () => {
    expect(codeBlock('', '` '.repeat(300_000)).slice(0, 4)).toBe('```\n');
  });
});
