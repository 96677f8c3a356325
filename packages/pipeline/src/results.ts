import { BuildSchema, isName } from '@gitless/core';
import * as v from 'valibot';

const text = v.pipe(v.string(), v.nonEmpty());
const digest = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/, '!wants sha256: and 64 lower-case hex digits'));
/** Becomes a directory and a repository path: whoever rendered must not choose where the next step writes. */
const name = v.pipe(v.string(), v.check(isName, '!wants a component or environment name'));
const failure = v.strictObject({ code: text, message: text });

/** One rendered or packed file, relative to its component. */
const FileSchema = v.strictObject({ path: text, sha256: digest });

const ToolSchema = v.strictObject({ name: text, version: text, digest, asserted: v.boolean() });

const ComponentSchema = v.strictObject({
  name,
  status: v.picklist(['ok', 'failed']),
  /** Where it comes from in the checkout. */
  path: v.exactOptional(text),
  engine: v.exactOptional(text),
  environments: v.exactOptional(v.array(name)),
  files: v.exactOptional(v.array(FileSchema)),
  /** First directory inside the artifact; empty for an artifact that is not bound to its component. */
  pathPrefix: v.exactOptional(v.string()),
  /** SHA-256 of the uncompressed content layer. */
  contentDigest: v.exactOptional(digest),
  /** SHA-256 of the manifest: what is signed, pushed and promoted. */
  digest: v.exactOptional(digest),
  bundles: v.exactOptional(v.array(v.strictObject({ predicateType: text, digest, logIndex: v.exactOptional(text) }))),
  /** `registry/repository` it was published to. */
  repository: v.exactOptional(text),
  tags: v.exactOptional(v.array(text)),
  error: v.exactOptional(failure),
});

const head = {
  schema: v.literal(1),
  build: BuildSchema,
  findings: v.array(text),
  tools: v.exactOptional(v.array(ToolSchema)),
  /** Files that differed from the commit and were allowed by `allow-dirty`. */
  dirty: v.exactOptional(v.array(text)),
};

const STEPS = ['render', 'package', 'sign', 'push'] as const;

/** `result/<step>.json` of render, package, sign and push (design §4b). Published as `docs/schemas/result.schema.json`. */
export const ResultSchema = v.strictObject({
  ...head,
  step: v.picklist(STEPS),
  components: v.pipe(
    v.array(ComponentSchema),
    v.check(
      (components) => new Set(components.map((entry) => entry.name)).size === components.length,
      '!names a component twice',
    ),
  ),
  /** Who signed, as the certificate says (sign), or who had to have signed (push). */
  signer: v.exactOptional(v.strictObject({ issuer: text, subject: text })),
  /** Opt-ins of the workflow file, such as `allow-refs`. */
  optIns: v.exactOptional(v.array(text)),
});

/** One component in one channel, as `promote` decided it. */
const CellSchema = v.strictObject({
  component: text,
  channel: text,
  version: text,
  digest: v.exactOptional(digest),
  previousDigest: v.exactOptional(digest),
  status: v.picklist(['promoted', 'unchanged', 'planned', 'failed']),
  repository: v.exactOptional(text),
  /** Environments and first directory inside the artifact, as the shipper signed them. */
  environments: v.exactOptional(v.array(text)),
  pathPrefix: v.exactOptional(v.string()),
  /** Differences of content against what the channel points to. */
  changes: v.exactOptional(v.strictObject({ added: v.array(text), removed: v.array(text), changed: v.array(text) })),
  /** Referrers of the source that were left behind, and why. */
  leftBehind: v.exactOptional(v.array(v.strictObject({ digest, reason: text }))),
  error: v.exactOptional(failure),
});

/** `result/promote.json`. Published as `docs/schemas/promote-result.schema.json`. */
export const PromoteResultSchema = v.strictObject({
  ...head,
  step: v.literal('promote'),
  dryRun: v.boolean(),
  policy: text,
  cells: v.array(CellSchema),
  optIns: v.exactOptional(v.array(text)),
});

export type ComponentResult = v.InferOutput<typeof ComponentSchema>;
export type Result = v.InferOutput<typeof ResultSchema>;
export type Cell = v.InferOutput<typeof CellSchema>;
export type PromoteResult = v.InferOutput<typeof PromoteResultSchema>;
export type ToolResult = v.InferOutput<typeof ToolSchema>;
