/** Longest file or directory name in bytes: file systems allow 255 (NAME_MAX), tools append suffixes. */
const MAX_NAME_BYTES = 240;
/** Longest complete path in bytes. */
export const MAX_PATH_BYTES = 1024;

const CONTROL = /\p{Cc}/u;

/**
 * Why `path` cannot be part of an artifact, or undefined when it can. The rules are those of Flux's extraction, which
 * refuses a backslash, a leading slash and `../` anywhere, also in `a/b../c` (fluxcd/pkg `tar/untar.go`), and those of
 * every log and file system the path meets later.
 */
export function pathProblem(path: string, maxBytes: number = MAX_PATH_BYTES): string | undefined {
  if (path === '') {
    return 'is empty';
  }
  if (!path.isWellFormed() || path.includes('\uFFFD')) {
    return 'is not UTF-8';
  }
  if (CONTROL.test(path)) {
    return 'has a control character';
  }
  if (path.includes('\\')) {
    return 'has a backslash';
  }
  if (path.startsWith('/')) {
    return 'is absolute';
  }
  if (path.includes('../')) {
    return 'has "../", which Flux refuses wherever it stands';
  }
  if (Buffer.byteLength(path) > maxBytes) {
    return `is longer than ${maxBytes} bytes`;
  }
  for (const name of path.split('/')) {
    if (name === '' || name === '.' || name === '..') {
      return `has the segment ${JSON.stringify(name)}`;
    }
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
      return `has a name longer than ${MAX_NAME_BYTES} bytes`;
    }
  }
  return undefined;
}

/** `path` for a message: quoted, so that a control character cannot forge log lines, and cut short. */
export function showPath(path: string): string {
  const quoted = JSON.stringify(path).replace(/[\u007f-\u009f]/g, '?');
  return quoted.length > 200 ? `${quoted.slice(0, 200)}…` : quoted;
}
