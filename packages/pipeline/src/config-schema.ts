import { isName } from '@gitless/core';
import * as v from 'valibot';

const text = v.pipe(v.string(), v.nonEmpty());
const name = v.pipe(
  v.string(),
  v.check(isName, '!wants 2–63 characters: lower-case letters and digits, single ".", "_" or "-" between them'),
);
/** A path inside the checkout. */
const path = v.pipe(
  text,
  v.check((value) => !value.startsWith('/') && !value.split('/').includes('..'), '!wants a path inside the repository'),
);

/** What a component may say about its rendering: the inputs of the render action under the same names. */
const renderKeys = {
  engine: v.exactOptional(v.picklist(['auto', 'helm', 'kustomize', 'plain'])),
  environments: v.exactOptional(v.array(name)),
  values: v.exactOptional(v.array(path)),
  namespace: v.exactOptional(text),
  'release-name': v.exactOptional(text),
  'kube-version': v.exactOptional(text),
  'api-versions': v.exactOptional(v.array(text)),
  'include-crds': v.exactOptional(v.boolean()),
};

export const NamedComponent = v.strictObject({ name, path, ...renderKeys });
export const PatternComponent = v.strictObject({
  pattern: path,
  ignore: v.exactOptional(v.array(path)),
  ...renderKeys,
});

/** `gitless.yaml` (docs/configuration.md). Published as `docs/schemas/gitless-yaml.schema.json`. */
export const ConfigSchema = v.strictObject({
  $schema: v.exactOptional(v.string()),
  schema: v.literal(1),
  registry: v.exactOptional(text),
  production: v.exactOptional(text),
  identity: v.exactOptional(v.strictObject({ issuer: text, subject: text, repository: v.exactOptional(text) })),
  trust: v.exactOptional(
    v.strictObject({ 'trusted-root': v.exactOptional(path), 'signing-config': v.exactOptional(path) }),
  ),
  tools: v.exactOptional(v.strictObject({ helm: v.exactOptional(text), kustomize: v.exactOptional(text) })),
  environments: v.exactOptional(v.array(name)),
  channels: v.exactOptional(v.record(v.string(), v.strictObject({ by: v.picklist(['push', 'promote']) }))),
  components: v.exactOptional(v.array(v.union([NamedComponent, PatternComponent]))),
});

export type Config = v.InferOutput<typeof ConfigSchema>;
export type ComponentEntry = NonNullable<Config['components']>[number];
