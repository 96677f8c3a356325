import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allBounded, mapBounded } from './parallel.ts';

const never = new AbortController().signal;

describe('mapBounded', () => {
  it('never runs more than the limit, uses it up, and keeps the order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 30 }), fc.integer({ min: 1, max: 8 }), async (turns, limit) => {
        let running = 0;
        let most = 0;
        const results = await mapBounded(turns, limit, never, async (wait) => {
          running += 1;
          most = Math.max(most, running);
          for (let turn = 0; turn <= wait; turn += 1) {
            await Promise.resolve();
          }
          running -= 1;
          return wait;
        });
        expect(results).toEqual(turns.map((value) => ({ ok: true, value })));
        expect(most).toBe(Math.min(limit, turns.length));
      }),
    );
  });

  it('keeps every result beside every failure, thrown at once or later', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2)), fc.integer({ min: 1, max: 5 }), async (kinds, limit) => {
        const results = await mapBounded([...kinds.entries()], limit, never, ([index, kind]) => {
          if (kind === 0) {
            throw new Error(`at once ${index}`);
          }
          return kind === 1 ? Promise.reject(new Error(`later ${index}`)) : Promise.resolve(index);
        });
        expect(results).toEqual(
          kinds.map((kind, index) =>
            kind === 2
              ? { ok: true, value: index }
              : { ok: false, error: new Error(`${kind === 0 ? 'at once' : 'later'} ${index}`) },
          ),
        );
      }),
    );
  });

  it('begins nothing more once aborted, and says so for each item that was left', async () => {
    const abort = new AbortController();
    const begun: number[] = [];
    const results = await mapBounded([0, 1, 2, 3, 4], 2, abort.signal, async (item) => {
      begun.push(item);
      if (item === 1) {
        abort.abort(new Error('cancelled'));
      }
      return item;
    });
    expect(begun).toEqual([0, 1]);
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false, false, false]);
    expect(results.slice(2)).toEqual(Array(3).fill({ ok: false, error: new Error('cancelled') }));
  });

  it.each([0, -1, Number.NaN])('refuses a limit of %d, with which nothing would be done', async (limit) => {
    await expect(mapBounded([1], limit, never, async () => 1)).rejects.toThrow(RangeError);
    expect(await mapBounded([], limit, never, async () => 1)).toEqual([]);
  });
});

describe('allBounded', () => {
  it('gives the values', async () => {
    expect(await allBounded(['a', 'b'], 9, never, async (item) => item.toUpperCase())).toEqual(['A', 'B']);
  });

  it('waits for all, then fails with the first in the order of the items', async () => {
    let finished = 0;
    const work = async (item: number) => {
      for (let turn = item; turn < 5; turn += 1) {
        await Promise.resolve();
      }
      finished += 1;
      if (item > 0) {
        throw new Error(`item ${item}`);
      }
    };
    await expect(allBounded([0, 1, 2], 3, never, work)).rejects.toThrow('item 1');
    expect(finished).toBe(3);
  });
});
