/**
 * Reads what an action wrote to GITHUB_OUTPUT, GITHUB_ENV or GITHUB_STATE: `name=value`, or `name<<delimiter`, lines and
 * the delimiter (docs.github.com "Workflow commands", "Environment files"; actions/runner, FileCommandManager.cs).
 * Throws where the runner fails the step: no name, no delimiter, no end.
 */
export function parseFileCommands(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const lines = text.split('\n');
  if (lines.at(-1) === '') {
    lines.pop();
  }
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line === '') {
      continue;
    }
    const [, name, separator, rest] = /^(.+?)(=|<<)(.*)$/s.exec(line) ?? [];
    if (name === undefined || rest === undefined || (separator === '<<' && rest === '')) {
      throw new Error(`Invalid format '${line}'`);
    }
    values.set(name, separator === '=' ? rest : readUntil(lines, rest));
  }
  return values;
}

function readUntil(lines: string[], delimiter: string): string {
  const end = lines.indexOf(delimiter);
  if (end < 0) {
    throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`);
  }
  return lines
    .splice(0, end + 1)
    .slice(0, end)
    .join('\n');
}
