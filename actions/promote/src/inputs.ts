import {
  bool,
  commonInputs,
  digest,
  type InputSpec,
  type InputSpecs,
  type InputValues,
  identityInputs,
  list,
  registryInputs,
  required,
  serviceInputs,
  text,
  triggerInputs,
  withDefault,
} from '@gitless/ci';

/** A digest (or, with `dry-run`, a tag) and the component it is of; the component is left out when there is only one. */
export interface From {
  readonly component: string | undefined;
  readonly from: string;
}

/** One digest, one `component=sha256:…` a line, or the JSON object that the output `digests` of a former step is. */
function candidates(): InputSpec<readonly From[]> {
  const lines = list();
  return {
    type: 'digest, or component=digest lines',
    secret: false,
    required: true,
    absent: [],
    parse: (value) => (value.startsWith('{') ? fromJson(value) : lines.parse(value).map(fromLine)),
  };
}

function fromJson(value: string): From[] {
  let data: unknown;
  try {
    data = JSON.parse(value);
  } catch {
    throw new Error('wants a JSON object, component name to digest');
  }
  return Object.entries(data ?? {}).map(([component, from]) => {
    if (typeof from !== 'string') {
      throw new Error(`wants a digest for ${component}`);
    }
    return { component, from };
  });
}

function fromLine(line: string): From {
  const at = line.indexOf('=');
  return at === -1
    ? { component: undefined, from: line }
    : { component: line.slice(0, at).trim(), from: line.slice(at + 1).trim() };
}

export const inputs = {
  ...commonInputs,
  from: candidates(),
  version: required(text()),
  channel: withDefault(text(), 'stable'),
  'to-registry': text(),
  'to-repository': text(),
  'expected-current': digest(),
  environment: text(),
  reason: text(),
  'dry-run': bool(false),
  ...registryInputs,
  ...identityInputs,
  ...serviceInputs,
  ...triggerInputs,
} satisfies InputSpecs;

export type Inputs = InputValues<typeof inputs>;
