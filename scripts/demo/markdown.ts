/**
 * Job summaries to HTML: headings, tables, lists, quotes, code, and the `<details>` that they write. Not a Markdown library: everything
 * else shows as the text that it is, and no input reaches the page unescaped.
 */
export function markdownToHtml(markdown: string): string {
  const lines = markdown.split('\n');
  const html: string[] = [];
  let open = 0;
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const summary = /^<details><summary>(.*)<\/summary>$/.exec(line);
    if (summary !== null) {
      open += 1;
      html.push(`<details><summary>${inline(summary[1] ?? '')}</summary>`);
      at += 1;
    } else if (line === '</details>' && open > 0) {
      open -= 1;
      html.push('</details>');
      at += 1;
    } else if (line.trim() === '') {
      at += 1;
    } else {
      const block = readBlock(lines, at);
      html.push(block.html);
      at = block.end;
    }
  }
  return [...html, ...Array.from({ length: open }, () => '</details>')].join('\n');
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

interface Block {
  readonly html: string;
  /** Index of the first line after it. */
  readonly end: number;
}

const FENCE = /^(`{3,})[\w-]*$/;
const HEADING = /^(#{1,6}) (.+)$/;
const TABLE_RULE = /^\|(?: ?:?-+:? ?\|)+$/;

function readBlock(lines: readonly string[], start: number): Block {
  const line = lines[start] ?? '';
  const fence = FENCE.exec(line)?.[1];
  if (fence !== undefined) {
    const end = lines.findIndex((other, index) => index > start && /^`+$/.test(other) && other.length >= fence.length);
    const last = end === -1 ? lines.length : end;
    return { html: `<pre><code>${escapeHtml(lines.slice(start + 1, last).join('\n'))}</code></pre>`, end: last + 1 };
  }
  const heading = HEADING.exec(line);
  if (heading !== null) {
    const level = heading[1]?.length ?? 1;
    return { html: `<h${level}>${inline(heading[2] ?? '')}</h${level}>`, end: start + 1 };
  }
  if (line.startsWith('|') && TABLE_RULE.test(lines[start + 1] ?? '')) {
    return table(lines, start);
  }
  if (line.startsWith('- ')) {
    return run(lines, start, '- ', (items) => `<ul>${items.map((item) => `<li>${inline(item)}</li>`).join('')}</ul>`);
  }
  if (line.startsWith('> ')) {
    return run(lines, start, '> ', (items) => `<blockquote>${inline(items.join(' '))}</blockquote>`);
  }
  const end = endOf(lines, start, (other) => other.trim() !== '' && !other.startsWith('<') && !FENCE.test(other));
  return { html: `<p>${inline(lines.slice(start, end).join(' '))}</p>`, end };
}

function table(lines: readonly string[], start: number): Block {
  const end = endOf(lines, start, (line) => line.startsWith('|'));
  const row = (line: string, tag: 'th' | 'td') => {
    const cells = line.replaceAll(/^\||\|$/g, '').split('|');
    return `<tr>${cells.map((cell) => `<${tag}>${inline(cell.trim())}</${tag}>`).join('')}</tr>`;
  };
  const [head = '', , ...body] = lines.slice(start, end);
  const rows = [row(head, 'th'), ...body.map((line) => row(line, 'td'))];
  return { html: `<div class="wide"><table>\n${rows.join('\n')}\n</table></div>`, end };
}

function run(lines: readonly string[], start: number, mark: string, html: (items: string[]) => string): Block {
  const end = endOf(lines, start, (line) => line.startsWith(mark));
  return { html: html(lines.slice(start, end).map((line) => line.slice(mark.length))), end };
}

/** First line after `start` that does not belong any more; the line at `start` always does. */
function endOf(lines: readonly string[], start: number, belongs: (line: string) => boolean): number {
  const end = lines.findIndex((line, index) => index > start && !belongs(line));
  return end === -1 ? lines.length : end;
}

/** Code, bold and digests. Entities are the summary's own escaping of its input: read back, only to be escaped for HTML. */
function inline(text: string): string {
  return text
    .split(/(`[^`]+`|\*\*[^*]+\*\*|\bsha256:[0-9a-f]{64}\b)/)
    .map((part, index) => {
      const plain = escapeHtml(decode(part));
      if (index % 2 === 0) {
        return plain.replaceAll('/', '/<wbr>');
      }
      return part.startsWith('**') ? `<strong>${plain.slice(2, -2)}</strong>` : code(part);
    })
    .join('');
}

function code(part: string): string {
  return `<code>${escapeHtml(part.replaceAll('`', ''))}</code>`;
}

function decode(text: string): string {
  const named: Record<string, string> = { lt: '<', gt: '>', amp: '&' };
  return text.replace(/&(?:#(\d{1,5})|(lt|gt|amp));/g, (_entity, code: string | undefined, name: string | undefined) =>
    code === undefined ? (named[name ?? ''] ?? '') : String.fromCodePoint(Number(code)),
  );
}
