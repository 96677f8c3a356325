/** One document of a stream, exactly as written. */
export interface CutDocument {
  /** Bytes between two markers; a `---` line is part of it only when it carries more than the marker. */
  readonly text: string;
  /** Line of the stream, from 1, where `text` begins. */
  readonly line: number;
}

const LINE = /[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+/g;
const START = /^\uFEFF?---(?=[ \t\r\n]|$)/;
const BARE_START = /^\uFEFF?---[ \t]*[\r\n]*$/;
const END = /^\.\.\.[ \t]*(?:[ \t]#.*)?[\r\n]*$/;
const NO_CONTENT = /^\uFEFF?(?:---(?=[ \t\r\n]|$))?[ \t]*(?:#.*)?[\r\n]*$/;

/**
 * Cuts a YAML stream as text at its document markers (YAML 1.2.2 §9.1, §9.2): never re-serialised, because YAML
 * libraries change `0644`, quotes and `${VAR}`. `---` and `...` count at the first column only, where they end every
 * scalar style. Documents of blank lines and comments alone are dropped, byte order marks before a document too.
 */
export function splitDocuments(text: string): string[] {
  return cutDocuments(text).map((document) => document.text);
}

/** As {@link splitDocuments}, with the line of each document for messages. */
export function cutDocuments(text: string): CutDocument[] {
  const documents: CutDocument[] = [];
  let start = 0;
  let startLine = 1;
  // Directives (§6.8) stand before the marker of their own document, and only at the beginning or after `...`.
  let directivesMayStand = true;
  let hasDirective = false;
  let line = 0;

  function close(end: number): void {
    const from = text.startsWith('\uFEFF', start) && start < end ? start + 1 : start;
    const document = text.slice(from, end);
    if (document.match(LINE)?.some((one) => !NO_CONTENT.test(one)) === true) {
      documents.push({ text: document, line: startLine });
    }
  }

  for (const match of text.matchAll(LINE)) {
    const [content] = match;
    const end = match.index + content.length;
    line += 1;
    if (START.test(content)) {
      if (!hasDirective) {
        close(match.index);
        const bare = BARE_START.test(content);
        start = bare ? end : match.index;
        startLine = bare ? line + 1 : line;
      }
      directivesMayStand = false;
      hasDirective = false;
    } else if (END.test(content)) {
      close(match.index);
      start = end;
      startLine = line + 1;
      directivesMayStand = true;
      hasDirective = false;
    } else if (directivesMayStand && /^\uFEFF?%/.test(content)) {
      hasDirective = true;
    } else if (!NO_CONTENT.test(content)) {
      directivesMayStand = false;
      hasDirective = false;
    }
  }
  close(text.length);
  return documents;
}
