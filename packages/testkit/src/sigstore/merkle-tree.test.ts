import { describe, expect, it } from 'vitest';
import { sha256Bytes } from './keys.ts';
import { createMerkleTree, leafHash, nodeHash } from './merkle-tree.ts';

const entries = Array.from({ length: 70 }, (_, index) => Buffer.from(`entry ${index}`));
const sizes = entries.map((_, index) => index + 1);

function treeOf(size: number) {
  const tree = createMerkleTree();
  for (const entry of entries.slice(0, size)) {
    tree.append(entry);
  }
  return tree;
}

/** RFC 6962 §2.1, word by word. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) {
    return sha256Bytes();
  }
  if (leaves.length === 1) {
    return leafHash(first);
  }
  let k = 1;
  while (k * 2 < leaves.length) {
    k *= 2;
  }
  return nodeHash(treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

/** RFC 9162 §2.1.3.2: another algorithm than the one that makes the paths. */
function rootFromPath(index: number, size: number, entry: Buffer, path: readonly Buffer[]): Buffer | undefined {
  let fn = index;
  let sn = size - 1;
  let hash = leafHash(entry);
  for (const sibling of path) {
    if (sn === 0) {
      return undefined;
    }
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn === 0 ? hash : undefined;
}

describe('Merkle tree', () => {
  it('has the root of RFC 6962 at every size from 0 to 70', () => {
    for (const size of [0, ...sizes]) {
      expect(treeOf(size).root()).toEqual(treeHash(entries.slice(0, size)));
    }
  });

  it('proves every entry at every size, and no other entry or position', () => {
    for (const size of sizes) {
      const tree = treeOf(size);
      const root = tree.root();
      for (const [index, entry] of entries.slice(0, size).entries()) {
        const path = tree.inclusionPath(index);
        expect(rootFromPath(index, size, entry, path)).toEqual(root);
        expect(rootFromPath(index, size, Buffer.from('another entry'), path)).not.toEqual(root);
        if (size > 1) {
          expect(rootFromPath((index + 1) % size, size, entry, path)).not.toEqual(root);
        }
      }
    }
  });

  it('refuses a proof for an entry that it does not have', () => {
    expect(() => treeOf(3).inclusionPath(3)).toThrow(RangeError);
  });
});
