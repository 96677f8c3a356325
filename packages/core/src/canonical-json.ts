/** What JSON can hold; `undefined` members are left out, as `JSON.stringify` does. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * JSON with sorted keys, no white space and one trailing newline, so that equal values mean equal bytes.
 * Keys sort by UTF-16 code units as in RFC 8785 (JCS) §3.2.3. A value that is not JSON at the top (`undefined`) throws.
 */
export function canonicalJson(value: unknown): string {
  return `${serialize(JSON.parse(JSON.stringify(value)))}\n`;
}

/** Written member by member: an object keeps keys such as "10" and "9" in the order of numbers, whatever order they are put in. */
function serialize(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(serialize).join(',')}]`;
  }
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${serialize(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
