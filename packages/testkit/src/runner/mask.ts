/** Replaces every occurrence of a secret by `***`, overlapping and adjacent ones by a single one (actions/runner, SecretMasker.cs `MaskSecrets`). */
export function maskSecrets(text: string, secrets: Iterable<string>): string {
  const spans: (readonly [number, number])[] = [];
  for (const secret of secrets) {
    for (let at = text.indexOf(secret); secret !== '' && at >= 0; at = text.indexOf(secret, at + 1)) {
      spans.push([at, at + secret.length]);
    }
  }
  spans.sort(([a], [b]) => a - b);
  let masked = '';
  let done = 0;
  for (const [index, [start, end]] of spans.entries()) {
    if (index === 0 || start > done) {
      masked += `${text.slice(done, start)}***`;
    }
    done = Math.max(done, end);
  }
  return masked + text.slice(done);
}
