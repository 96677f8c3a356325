import * as v from 'valibot';

const MAX_LENGTH = 300;

/**
 * Why a service refuses: the `message` of its JSON (grpc-gateway of Fulcio and rekor-tiles, go-openapi of timestamp-authority), else the
 * text itself; on one line, cut. `secret` is not repeated.
 */
export function reasonOf(body: Uint8Array, secret?: string): string {
  const text = Buffer.from(body).toString();
  const spoken = messageOf(text) ?? text;
  const safe = secret === undefined ? spoken : spoken.replaceAll(secret, '***');
  return safe.replace(/\s+/g, ' ').trim().slice(0, MAX_LENGTH) || 'no reason given';
}

function messageOf(text: string): string | undefined {
  try {
    const answer = v.safeParse(v.object({ message: v.string() }), JSON.parse(text));
    return answer.success ? answer.output.message : undefined;
  } catch {
    return undefined;
  }
}
