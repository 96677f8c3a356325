import type { Digest } from '@gitless/core';

/** A program that took part in a build. */
export interface Tool {
  readonly name: string;
  readonly version: string;
  /** Of the executable. */
  readonly digest?: Digest;
  /** Who says so, when it is not this process: `render job`. */
  readonly reportedBy?: string;
}

/** `pkg:generic/helm@4.2.4` (purl-spec, "generic"). */
export function toolPurl(tool: Tool): string {
  return `pkg:generic/${encodeURIComponent(tool.name)}@${encodeURIComponent(tool.version)}`;
}
