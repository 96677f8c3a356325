const tails = new Map<string, Promise<void>>();

/** Runs `work` after all earlier work under the same key has ended, in this process. */
export async function withLock<T>(key: string, work: () => Promise<T>): Promise<T> {
  const result = (tails.get(key) ?? Promise.resolve()).then(work);
  const tail = result.then(
    () => undefined,
    () => undefined,
  );
  tails.set(key, tail);
  try {
    return await result;
  } finally {
    if (tails.get(key) === tail) {
      tails.delete(key);
    }
  }
}
