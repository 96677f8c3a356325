/** Whether the file system says that there is no such file: any other failure to read is not an absence (invariant 4). */
export function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
