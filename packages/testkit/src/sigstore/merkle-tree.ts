import { sha256Bytes } from './keys.ts';

/** An append-only log's tree (RFC 6962 §2.1). */
export interface MerkleTree {
  readonly size: () => number;
  /** Adds an entry, returns its index. */
  append(entry: Uint8Array): number;
  /** The Merkle Tree Hash of all entries. */
  root(): Buffer;
  /** The audit path of entry `index` in the tree of all entries, lowest node first. */
  inclusionPath(index: number): Buffer[];
}

/** An empty tree. Root and paths take O(log n) hashes, because full subtrees are kept. */
export function createMerkleTree(): MerkleTree {
  /** `complete[k][i]`: hash of the full subtree over the 2^k leaves from i·2^k on. It never changes once it is there. */
  const complete: Buffer[][] = [[]];

  function size(): number {
    return complete[0]?.length ?? 0;
  }

  function subtree(start: number, end: number): Buffer {
    const full = complete[Math.log2(end - start)]?.[start / (end - start)];
    if (full !== undefined) {
      return full;
    }
    const middle = start + largestPowerOfTwoBelow(end - start);
    return nodeHash(subtree(start, middle), subtree(middle, end));
  }

  function path(index: number, start: number, end: number): Buffer[] {
    if (end - start === 1) {
      return [];
    }
    const middle = start + largestPowerOfTwoBelow(end - start);
    return index < middle
      ? [...path(index, start, middle), subtree(middle, end)]
      : [...path(index, middle, end), subtree(start, middle)];
  }

  return {
    size,
    append: (entry) => {
      const index = size();
      let hash: Buffer | undefined = leafHash(entry);
      for (let level = 0; hash !== undefined; level += 1) {
        const row: Buffer[] = complete[level] ?? [];
        complete[level] = row;
        row.push(hash);
        const left: Buffer | undefined = row.at(-2);
        hash = row.length % 2 === 0 && left !== undefined ? nodeHash(left, hash) : undefined;
      }
      return index;
    },
    root: () => (size() === 0 ? sha256Bytes() : subtree(0, size())),
    inclusionPath: (index) => {
      if (index < 0 || index >= size()) {
        throw new RangeError(`no entry ${index} in a tree of ${size()}`);
      }
      return path(index, 0, size());
    },
  };
}

/** RFC 6962 §2.1: 0x00 before a leaf, so that no leaf can pass for a node. */
export function leafHash(entry: Uint8Array): Buffer {
  return sha256Bytes(Buffer.from([0x00]), entry);
}

/** RFC 6962 §2.1: 0x01 before the two children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256Bytes(Buffer.from([0x01]), left, right);
}

/** For `size` > 1. */
function largestPowerOfTwoBelow(size: number): number {
  return 2 ** (Math.ceil(Math.log2(size)) - 1);
}
