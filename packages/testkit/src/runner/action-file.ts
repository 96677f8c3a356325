import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseWith } from '@gitless/core';
import * as v from 'valibot';
import { parse } from 'yaml';

// Read with YAML's failsafe schema: every scalar is text, as the runner takes inputs, and `default: 1.10` stays 1.10.
const ActionFileSchema = v.looseObject({
  inputs: v.exactOptional(v.record(v.string(), v.looseObject({ default: v.exactOptional(v.string()) })), {}),
  runs: v.looseObject({ using: v.literal('node24'), main: v.pipe(v.string(), v.nonEmpty()) }),
});

export interface ActionFile {
  /** Absolute path of the script that `runs.main` names. */
  readonly main: string;
  /** Default of each declared input, expressions unresolved; empty when it has none. */
  readonly defaults: ReadonlyMap<string, string>;
}

/**
 * Reads `action.yml` (docs.github.com "Metadata syntax for GitHub Actions").
 * Throws `ACTION_FILE_INVALID` when it is not the metadata of a Node 24 action.
 */
export async function readActionFile(path: string): Promise<ActionFile> {
  const data: unknown = parse(await readFile(path, 'utf8'), { schema: 'failsafe' });
  const { inputs, runs } = parseWith(ActionFileSchema, data, { code: 'ACTION_FILE_INVALID', where: path });
  return {
    main: resolve(dirname(path), runs.main),
    defaults: new Map(Object.entries(inputs).map(([name, input]) => [name, input.default ?? ''])),
  };
}

/** The contexts that a default may name. */
export interface DefaultContext {
  readonly 'github.token': string;
  readonly 'github.workspace': string;
  readonly 'runner.temp': string;
}

/**
 * Environment variables of the inputs: given ones, else defaults, else empty, under the name that the runner makes of
 * them: upper case, spaces as `_`, hyphens kept (actions/runner, Handler.cs `AddInputsToEnvironment`).
 * Throws on an input that the action does not declare, which the runner only warns of: in a test it is a typing error.
 */
export function inputEnvironment(
  defaults: ReadonlyMap<string, string>,
  inputs: Readonly<Record<string, string>>,
  context: DefaultContext,
): Record<string, string> {
  const values = new Map([...defaults].map(([name, value]) => [name, () => resolveDefault(name, value, context)]));
  for (const [name, value] of Object.entries(inputs)) {
    if (!values.has(name)) {
      throw new Error(`the action declares no input ${JSON.stringify(name)}, only ${[...defaults.keys()].join(', ')}`);
    }
    values.set(name, () => value);
  }
  return Object.fromEntries(
    [...values].map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value()]),
  );
}

function resolveDefault(name: string, value: string, context: DefaultContext): string {
  return value.replaceAll(/\$\{\{(.*?)\}\}/g, (_whole, expression: string) => {
    const path = expression.trim();
    if (path === 'github.token' || path === 'github.workspace' || path === 'runner.temp') {
      return context[path];
    }
    throw new Error(`the default of input ${name} has the expression ${path}, which this runner does not know`);
  });
}
