import { escapeHtml, markdownToHtml } from './markdown.ts';
import type { Fact } from './screen.ts';

export interface Section {
  readonly name: string;
  /** Job summary in Markdown. */
  readonly summary: string;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0a58a6; }
@media (prefers-color-scheme: dark) { :root { --accent: #7ab8f5; } }
body { font: 15px/1.55 system-ui, sans-serif; max-width: 76rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: .25rem 0 1rem; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: .75rem 0; border-bottom: 1px solid var(--line); }
a { color: var(--accent); text-decoration: none; }
section { padding: 1.5rem 0; border-bottom: 1px solid var(--line); }
.step { margin: 0; color: var(--accent); font-size: .85rem; letter-spacing: .03em; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem; border: 1px solid var(--line); }
td code { display: inline-block; min-width: 22em; }
code, li, p { overflow-wrap: anywhere; }
th { background: var(--soft); font-weight: 600; white-space: nowrap; }
code, pre { font: .85em/1.5 ui-monospace, monospace; }
pre code { font-size: 1em; }
pre { background: var(--soft); padding: .75rem 1rem; overflow-x: auto; border-radius: 4px; }
details { margin: .75rem 0; padding: .4rem .75rem; border: 1px solid var(--line); border-radius: 4px; }
summary { cursor: pointer; }
blockquote { margin: 1rem 0; padding: .1rem 1rem; border-left: 3px solid var(--accent); }
`;

/** One self-contained page: the trace, then the summary of every step. No script, and the browser is told to load nothing. */
export function reportPage(trace: readonly Fact[], sections: readonly Section[]): string {
  const links = sections.map(({ name }) => `<a href="#${escapeHtml(name)}">${escapeHtml(name)}</a>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>gitless demo: from a commit to production</title>
<style>${STYLE}</style>
</head>
<body>
<h1>From a commit to production</h1>
<p>What the gitless demo did, step by step: the job summaries as the steps wrote them, and the trace that was verified afterwards.</p>
<nav><a href="#trace">trace</a>
${links.join('\n')}</nav>
<section id="trace">
<h2>Trace, verified offline against trusted_root.json</h2>
<div class="wide"><table><tbody>
${trace.map(([label, value]) => `<tr><th>${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`).join('\n')}
</tbody></table></div>
</section>
${sections.map(sectionHtml).join('\n')}
</body>
</html>
`;
}

function sectionHtml({ name, summary }: Section): string {
  return `<section id="${escapeHtml(name)}">
<p class="step">${escapeHtml(name)}</p>
${markdownToHtml(summary)}
</section>`;
}
