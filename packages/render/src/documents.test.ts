import fc from 'fast-check';
import { constructFromEvents, parseEvents } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { cutDocuments, splitDocuments } from './documents.ts';

/** All documents of a stream, as a YAML parser sees them. */
function parsed(source: string): unknown[] {
  return constructFromEvents(parseEvents(source, {}), { source });
}

describe('splitDocuments', () => {
  it('keeps what YAML libraries change', () => {
    const first = `a: 0644\nb: "yes"\nc: \${REPLICAS}\n`;
    const second = "# comment\nd: 'x' # y\n";
    expect(splitDocuments(`---\n${first}---\n${second}`)).toEqual([first, second]);
  });

  it.each([
    ['comment on the marker', '--- # Source: x\na: 1\n', ['--- # Source: x\na: 1\n']],
    ['content on the marker', 'a: 1\n--- {b: 2}\n', ['a: 1\n', '--- {b: 2}\n']],
    ['block scalar on the marker', '--- |\n text\n---\nb: 2\n', ['--- |\n text\n', 'b: 2\n']],
    ['end marker', 'a: 1\n...\n---\nb: 2\n', ['a: 1\n', 'b: 2\n']],
    ['end marker with a comment, then a bare document', 'a: 1\n... # end\nb: 2\n', ['a: 1\n', 'b: 2\n']],
    [
      'directives',
      '%YAML 1.2\n# c\n---\na: 1\n...\n%YAML 1.2\n---\nb: 2\n',
      ['%YAML 1.2\n# c\n---\na: 1\n', '%YAML 1.2\n---\nb: 2\n'],
    ],
    ['a percent sign inside a document', 'a: |\n  x\n---\nb:\n  %c\n', ['a: |\n  x\n', 'b:\n  %c\n']],
    ['byte order mark', '\uFEFF---\na: 1\n', ['a: 1\n']],
    ['byte order mark without marker', '\uFEFFa: 1\n', ['a: 1\n']],
    ['CRLF', '---\r\na: 1\r\n---\r\nb: 2\r\n', ['a: 1\r\n', 'b: 2\r\n']],
    ['lone CR is a line break too', 'a: 1\r---\rb: 2\r', ['a: 1\r', 'b: 2\r']],
    ['tab after the marker', 'a: 1\n---\t\nb: 2\n', ['a: 1\n', 'b: 2\n']],
    ['indented dashes in a block scalar', 'a: |\n  ---\n  ...\n', ['a: |\n  ---\n  ...\n']],
    ['longer dashes are content', 'a: 1\n----\n---x\n', ['a: 1\n----\n---x\n']],
    ['no final newline', 'a: 1\n---\nb: 2', ['a: 1\n', 'b: 2']],
    ['nothing but comments', '# a\n---\n---\n# b\n\n--- # c\n...\n', []],
    ['empty', '', []],
  ])('%s', (_name, stream, documents) => {
    expect(splitDocuments(stream)).toEqual(documents);
  });

  it('knows the line where each document begins', () => {
    expect(cutDocuments('# licence\n---\na: 1\n---\n\nb: 2\n--- # c\nd: 3\n').map(({ line }) => line)).toEqual([
      3, 5, 7,
    ]);
  });

  it('gives documents back with their bytes after joining', () => {
    const line = fc.constantFrom('a: 1', '# c', '  - "x"', 'b: |', '   --- y', '   ... ', '', `é: \${V}`, 'k: 0644');
    const lineBreak = fc.constantFrom('\n', '\r\n', '\r');
    const document = fc
      .array(
        fc.tuple(line, lineBreak).map((pair) => pair.join('')),
        { minLength: 1, maxLength: 8 },
      )
      .map((lines) => `key: value\n${lines.join('')}`);
    fc.assert(
      fc.property(
        fc.array(document, { maxLength: 6 }),
        fc.constantFrom('---\n', '...\n', '...\n---\r\n'),
        (all, marker) => {
          expect(splitDocuments(all.join(marker))).toEqual(all);
        },
      ),
    );
  });

  it('loses nothing but markers, blank lines and comments of any stream', () => {
    const piece = fc.constantFrom(
      '---',
      '...',
      ' ',
      '#c',
      'a: 1',
      '\n',
      '\r\n',
      '\r',
      '%YAML 1.2',
      '\uFEFF',
      '- x',
      '--- y',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const stream = pieces.join('');
        const lines = stream.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+/g) ?? [];
        const isDropped = lines.map(() => true);
        for (const { text, line } of cutDocuments(stream)) {
          const from = lines.slice(0, line - 1).join('').length;
          expect(
            stream
              .slice(from)
              .replace(/^\uFEFF/, '')
              .startsWith(text),
          ).toBe(true);
          isDropped.fill(false, line - 1, line - 1 + (text.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+/g) ?? []).length);
        }
        for (const line of lines.filter((_, index) => isDropped[index])) {
          expect(line).toMatch(/^\uFEFF?(?:---|\.\.\.)?\s*(?:#.*)?\s*$/);
        }
      }),
    );
  });

  it('cuts where a YAML parser sees documents', () => {
    const piece = fc.constantFrom(
      '---\n',
      '...\n',
      'a: 1\n',
      'b: |\n  ---\n',
      '# c\n',
      '\n',
      '--- {c: 2}\n',
      "d: 'x\n  y'\n",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const stream = pieces.join('');
        let whole: unknown[];
        try {
          whole = parsed(stream);
        } catch {
          return;
        }
        const cut = splitDocuments(stream).flatMap(parsed);
        expect(cut).toEqual(whole.filter((value) => value !== null));
      }),
    );
  });
});
