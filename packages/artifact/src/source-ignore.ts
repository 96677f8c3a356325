import { UserError } from '@gitless/core';
import ignore, { type Ignore } from 'ignore';
import { showPath } from './path-rules.ts';
import type { TreeFile } from './tar-entry.ts';

const SOURCE_IGNORE = '.sourceignore';
const MAX_SOURCE_IGNORE_BYTES = 64 * 1024;
/** Each `**` of a pattern multiplies the ways in which a path can match. */
const MAX_DOUBLE_STARS = 4;

/**
 * What the cluster drops from an artifact without `.sourceignore` (source-controller `pkg/artifact/storage`,
 * fluxcd/pkg `sourceignore`: VCS, extensions, CI files). Ours never ships a `.sourceignore`, so this always applies
 * there; packing the same way keeps the signed tree and the applied tree equal.
 */
const FLUX_DEFAULTS = [
  '.git/',
  '.gitignore',
  '.gitmodules',
  '.gitattributes',
  '*.jpg',
  '*.jpeg',
  '*.gif',
  '*.png',
  '*.wmv',
  '*.flv',
  '*.tar.gz',
  '*.zip',
  '.github/',
  '.circleci/',
  '.travis.yml',
  '.gitlab-ci.yml',
  'appveyor.yml',
  '.drone.yml',
  'cloudbuild.yaml',
  'codeship-*.yml',
  '**/.goreleaser.yml',
  '**/.sops.yaml',
  '**/.flux.yaml',
];

/**
 * Leaves out what Flux ignores by default and what `.sourceignore` files at any level name (gitignore syntax, relative
 * to their directory; a deeper file overrides, but nothing below an ignored directory comes back). A `.sourceignore`
 * cannot bring back a default: the cluster would drop it all the same. The `.sourceignore` files themselves never ship.
 *
 * `ignored` names every file left out except those. Throws `SOURCE_IGNORE_REFUSED` for a `.sourceignore` that is not
 * UTF-8, larger than 64 KiB, or has a pattern with more than four `**`.
 */
export function applySourceIgnore(files: readonly TreeFile[]): { files: TreeFile[]; ignored: string[] } {
  const defaults = matcher(FLUX_DEFAULTS);
  const rules = matcher(
    files
      .filter(({ path }) => isSourceIgnore(path))
      .sort((a, b) => depth(a.path) - depth(b.path))
      .flatMap(rootedPatterns),
  );
  const kept: TreeFile[] = [];
  const ignored: string[] = [];
  for (const file of files) {
    if (isSourceIgnore(file.path)) {
      continue;
    }
    if (defaults.ignores(file.path) || rules.ignores(file.path)) {
      ignored.push(file.path);
    } else {
      kept.push(file);
    }
  }
  return { files: kept, ignored };
}

function isSourceIgnore(path: string): boolean {
  return path === SOURCE_IGNORE || path.endsWith(`/${SOURCE_IGNORE}`);
}

function depth(path: string): number {
  return path.split('/').length;
}

function matcher(patterns: readonly string[]): Ignore {
  // Git and Flux match case; the package does not by default.
  return ignore({ ignorecase: false }).add(patterns);
}

/**
 * The patterns of one `.sourceignore` as if they stood in the root's: with all files in one list, the deeper after the
 * shallower, the last match wins across levels as gitignore(5) wants it.
 */
function rootedPatterns(file: TreeFile): string[] {
  const directory = file.path.slice(0, -SOURCE_IGNORE.length).replace(/[*?[\]]/g, '\\$&');
  return lines(file)
    .map((line) => line.replace(/(?<!\\) +$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      if (line.split('**').length > MAX_DOUBLE_STARS + 1) {
        throw refused(file, `a pattern has more than ${MAX_DOUBLE_STARS} times **`);
      }
      const [, not = '', pattern = ''] = /^(!?)(.*)$/.exec(line) ?? [];
      const anchored = pattern.slice(0, -1).includes('/');
      return `${not}/${directory}${anchored ? pattern.replace(/^\//, '') : `**/${pattern}`}`;
    });
}

function lines(file: TreeFile): string[] {
  if (file.content.byteLength > MAX_SOURCE_IGNORE_BYTES) {
    throw refused(file, `it is larger than ${MAX_SOURCE_IGNORE_BYTES} bytes`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file.content).split(/\r?\n/);
  } catch {
    throw refused(file, 'it is not UTF-8');
  }
}

function refused(file: TreeFile, why: string): UserError {
  return new UserError({
    code: 'SOURCE_IGNORE_REFUSED',
    what: `${showPath(file.path)} cannot be used`,
    why,
    fix: 'write one gitignore pattern a line, as UTF-8',
  });
}
