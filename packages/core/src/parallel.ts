/** What became of one item: one failure never hides another item's result. */
export type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/** Runs `work` over `items`, at most `limit` at a time; results keep the order of the items. Once `signal` is aborted the items not begun fail with its reason. Throws a RangeError for a `limit` under 1. */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (item: T) => Promise<R>,
): Promise<Settled<R>[]> {
  if (items.length > 0 && !(limit >= 1)) {
    throw new RangeError(`a limit of ${limit} would do nothing and look like success`);
  }
  const results: Settled<R>[] = [];
  const queue = items.entries();
  async function worker(): Promise<void> {
    for (const [index, item] of queue) {
      try {
        signal.throwIfAborted();
        results[index] = { ok: true, value: await work(item) };
      } catch (error) {
        results[index] = { ok: false, error };
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/** As {@link mapBounded}, but rejects with the first failure (in the order of the items) after all have ended. */
export async function allBounded<T, R>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  return (await mapBounded(items, limit, signal, work)).map((result) => {
    if (!result.ok) {
      throw result.error;
    }
    return result.value;
  });
}
