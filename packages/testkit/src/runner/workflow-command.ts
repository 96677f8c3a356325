export interface WorkflowCommand {
  /** Lower case. */
  readonly name: string;
  readonly properties: ReadonlyMap<string, string>;
  readonly data: string;
}

interface Grammar {
  readonly pattern: RegExp;
  readonly separator: string;
  readonly unescapeProperty: (text: string) => string;
  readonly unescapeData: (text: string) => string;
}

/** `%25` last, so that an escaped escape stays one. */
function unescaping(...pairs: readonly (readonly [string, string])[]): (text: string) => string {
  const all = [['%0D', '\r'], ['%0A', '\n'], ...pairs, ['%25', '%']] as const;
  return (text) => all.reduce((current, [escaped, character]) => current.replaceAll(escaped, character), text);
}

const GRAMMARS: readonly Grammar[] = [
  {
    pattern: /^\s*::(?<name>[^ :]+)(?: (?<properties>.*?))?::(?<data>.*)$/s,
    separator: ',',
    unescapeProperty: unescaping(['%3A', ':'], ['%2C', ',']),
    unescapeData: unescaping(),
  },
  // The older form still counts, and anywhere in a line: what a hostile text in a log can use.
  {
    pattern: /##\[(?<name>[^ \]]+)(?: (?<properties>[^\]]*))?\](?<data>.*)$/s,
    separator: ';',
    unescapeProperty: unescaping(['%3B', ';'], ['%5D', ']']),
    unescapeData: unescaping(['%3B', ';'], ['%5D', ']']),
  },
];

/**
 * `::name key=value,key=value::data` or `##[name key=value;key=value]data` (docs.github.com "Workflow commands";
 * actions/runner, ActionCommand.cs `TryParseV2` and `TryParse`); `undefined` when the line is none or `known` refuses its name.
 */
export function parseWorkflowCommand(line: string, known: (name: string) => boolean): WorkflowCommand | undefined {
  for (const { pattern, separator, unescapeProperty, unescapeData } of GRAMMARS) {
    const { name, properties = '', data = '' } = pattern.exec(line)?.groups ?? {};
    if (name === undefined || !known(name.toLowerCase())) {
      continue;
    }
    const pairs = properties
      .trim()
      .split(separator)
      .flatMap((pair): [string, string][] => {
        const [, key, value] = /^([^=]+)=(.+)$/s.exec(pair) ?? [];
        return key === undefined || value === undefined ? [] : [[key.toLowerCase(), unescapeProperty(value)]];
      });
    return { name: name.toLowerCase(), properties: new Map(pairs), data: unescapeData(data) };
  }
  return undefined;
}
