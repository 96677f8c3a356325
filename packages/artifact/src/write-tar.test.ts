import { sha256 } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { type TreeFile, treeEntries } from './tar-entry.ts';
import { writeTar } from './write-tar.ts';

function file(path: string, text: string, executable = false): TreeFile {
  return { path, content: Buffer.from(text), executable };
}

function archive(...files: TreeFile[]): Uint8Array {
  return writeTar(treeEntries(files));
}

/**
 * Digests of what the Flux library writes: the same files on disk under umask 022, archived by `Tar(dir, w, WithSkipGzip())`
 * of github.com/fluxcd/pkg/tar v1.2.0 built with Go 1.26. 800 random trees with names up to 240 bytes were equal too.
 */
describe('writeTar gives the bytes of the Flux library', () => {
  it.each<[string, TreeFile[], string]>([
    ['no files', [], 'aaacfa425e3aa2b04c7f6384594a5a989d5725f2334378435a2a9d242b1f6fd3'],
    [
      'short names and an executable',
      [file('run.sh', '#!/bin/sh\n', true), file('dir.txt', 'x'), file('a.yaml', 'a: 1\n'), file('dir/b.yaml', '')],
      '272865a67ac7bd388d8e9a3df720831ce30930c2c17657fcc02473946b33b53c',
    ],
    [
      'a path split over the prefix field',
      [file(`${'d'.repeat(80)}/${'e'.repeat(60)}/f.yaml`, 'f')],
      '94692a163ccb16559bec79ea8fad876d0c93d9046c839be82af3c868da06a80a',
    ],
    [
      'paths that need PAX',
      [file('n'.repeat(150), 'n'), file(`${'p'.repeat(100)}/${'q'.repeat(100)}/r.yaml`, 'r')],
      'f0c2a35f661099ef3f6f7ce25ab260fbb5c44f99d16ce8151a7e9f6b648efad4',
    ],
    [
      'names outside ASCII, in byte order',
      [file('\u{1f600}.yaml', 'g'), file('\uff5e.yaml', 't'), file('é', 'x'), file('日本/ü.yaml', 'u')],
      'c530d0b11d7f43cad3ad37441c036350feb2acf8bed772db29b45fd82ba8a8a3',
    ],
  ])('%s', (_name, files, digest) => {
    expect(sha256(archive(...files))).toBe(`sha256:${digest}`);
  });

  it('does not depend on the order of the files', () => {
    const files = [file('b/c.yaml', '1'), file('a.yaml', '2'), file('b.yaml', '3')];
    expect(archive(...files)).toEqual(archive(...files.toReversed()));
  });
});
