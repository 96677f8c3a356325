const WITHIN_MS = 60_000;
const POLL_MS = 100;

/** Asks until `probe` gives something. Throws an Error with `seen` when that takes more than a minute. */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  seen: () => Promise<unknown> = async () => '',
): Promise<T> {
  const deadline = Date.now() + WITHIN_MS;
  for (;;) {
    const found = await probe();
    if (found !== undefined) {
      return found;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${WITHIN_MS / 1000} s: ${what}\n${JSON.stringify(await seen(), null, 2)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
