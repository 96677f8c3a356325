/** GitHub-flavoured Markdown for summaries. Everything that comes from outside goes through {@link escapeMarkdown}. */

/** Neutralises HTML, tables, links and code marks: names and messages can come from a chart, a registry or a branch name. */
export function escapeMarkdown(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_[\]|~@#!]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/\s+/g, ' ');
}

/** A table; cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(line)].join('\n');
}

/** A list behind a fold, or nothing when it is empty. */
export function details(title: string, items: readonly string[]): string[] {
  if (items.length === 0) {
    return [];
  }
  const list = items.map((item) => `- ${escapeMarkdown(item)}`).join('\n');
  return [`<details><summary>${escapeMarkdown(title)} (${items.length})</summary>\n\n${list}\n\n</details>`];
}

/** A fenced block that its content cannot leave. */
export function codeBlock(language: string, content: string): string {
  let longest = 2;
  for (const [run] of content.matchAll(/`+/g)) {
    longest = Math.max(longest, run.length);
  }
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${content.trimEnd()}\n${fence}`;
}
