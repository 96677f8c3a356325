/**
 * Text for the log that the runner takes for nothing but text: `::name::` counts at the beginning of a line, `##[name]` anywhere in one
 * (actions/runner `ActionCommand.cs`). Names and messages can come from a certificate, a registry or a branch. Lines stay lines.
 */
export function plainLines(text: string): string {
  return text
    .replace(/\r\n?|[\v\f\u0085\u2028\u2029]/g, '\n')
    .replace(/^\s*::/gm, ': :')
    .replaceAll('##[', '# #[');
}
