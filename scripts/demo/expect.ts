/** Throws `message`: the demo shows what it says it shows, or fails. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) {
    throw new Error(message);
  }
}
