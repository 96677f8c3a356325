import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isName } from '@gitless/core';
import { ConfigSchema, PromoteResultSchema, ResultSchema } from '@gitless/pipeline';
import { PromotionSchema } from '@gitless/promotion';
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { parse } from 'yaml';
import { ACTIONS, ROOT } from './repository.ts';

/*
 * What the docs can take from the code is written from the code: the tables of every action's README and the JSON schemas.
 * `npm run docs` writes them, `npm run check:docs` fails naming what is not up to date.
 */

type ActionName = (typeof ACTIONS)[number];

const ActionFileSchema = v.object({
  inputs: v.record(
    v.string(),
    v.object({ description: v.string(), required: v.boolean(), default: v.exactOptional(v.string()) }),
  ),
  outputs: v.record(v.string(), v.object({ description: v.string() })),
});
/** The part of `actions/<action>/src/inputs.ts` that action.yml cannot say. */
const InputsModuleSchema = v.object({ inputs: v.record(v.string(), v.looseObject({ type: v.string() })) });

/** The Markdown tables of an action's README: what action.yml says, and the type from the code that reads the input. */
export async function actionTables(action: ActionName): Promise<{ inputs: string; outputs: string }> {
  const { inputs, outputs } = v.parse(ActionFileSchema, parse(await read(`actions/${action}/action.yml`)));
  const module: unknown = await import(join(ROOT, 'actions', action, 'src/inputs.ts'));
  const types = v.parse(InputsModuleSchema, module).inputs;
  const inputRows = Object.entries(inputs).map(([name, input]) => {
    const type = types[name]?.type;
    if (type === undefined) {
      throw new Error(`actions/${action}/action.yml declares the input ${name}, which the code does not read`);
    }
    const fallback = input.required ? '**required**' : input.default === undefined ? '–' : `\`${input.default}\``;
    return [`\`${name}\``, type, fallback, cell(input.description)];
  });
  const outputRows = Object.entries(outputs).map(([name, { description }]) => [`\`${name}\``, cell(description)]);
  return {
    inputs: table(['Input', 'Type', 'Default', 'Meaning'], inputRows),
    outputs: table(['Output', 'Meaning'], outputRows),
  };
}

/** Published JSON schemas, file name → text, from the schemas that the code parses with. */
export function schemas(): ReadonlyMap<string, string> {
  return new Map([
    schemaFile('gitless-yaml', 'gitless.yaml', ConfigSchema),
    schemaFile('result', 'Result of render, package, sign and push (result/<step>.json)', ResultSchema),
    schemaFile('promote-result', 'Result of promote (result/promote.json)', PromoteResultSchema),
    schemaFile('promotion-v1', 'Predicate https://gitless.dev/attestations/promotion/v1', PromotionSchema),
  ]);
}

function schemaFile(name: string, title: string, schema: v.GenericSchema): [file: string, text: string] {
  const file = `${name}.schema.json`;
  const { $schema, ...body } = toJsonSchema(schema, {
    target: 'draft-07',
    errorMode: 'throw',
    overrideAction: ({ valibotAction, jsonSchema }) =>
      valibotAction.type === 'check' ? { ...jsonSchema, ...expressCheck(valibotAction) } : undefined,
  });
  const document = { $schema, $id: `https://gitless.dev/schemas/${file}`, title, ...body };
  return [file, `${JSON.stringify(document, null, 2)}\n`];
}

/** A check is a function: each has its JSON Schema here, and one without it stops the generation instead of vanishing from the schema. */
function expressCheck(action: object): JsonSchema {
  const { requirement, message } = v.parse(v.object({ requirement: v.function(), message: v.string() }), action);
  const expressed = requirement === isName ? NAME : CHECKS[message];
  if (expressed === undefined) {
    throw new Error(`no JSON Schema is known for the check with the message ${JSON.stringify(message)}`);
  }
  return expressed;
}

const NAME: JsonSchema = { pattern: '^[a-z0-9]+(?:[._-][a-z0-9]+)*$', minLength: 2, maxLength: 63 };
const CHECKS: Readonly<Record<string, JsonSchema | undefined>> = {
  '!wants a path inside the repository': { pattern: '^(?!/)(?!(?:[\\s\\S]*/)?\\.\\.(?:/|$))' },
  // JSON Schema compares whole entries only.
  '!names a component twice': { description: 'No two entries have the same name.' },
};

/** Every generated text, path → content. */
async function generate(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const action of ACTIONS) {
    const path = `actions/${action}/README.md`;
    const tables = await actionTables(action);
    const readme = replaceBlock(path, await read(path), 'inputs', tables.inputs);
    files.set(path, replaceBlock(path, readme, 'outputs', tables.outputs));
  }
  for (const [file, text] of schemas()) {
    files.set(`docs/schemas/${file}`, text);
  }
  return files;
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. */
function replaceBlock(path: string, text: string, name: string, content: string): string {
  const [before, rest, ...more] = text.split(`<!-- ${name} -->`);
  const end = rest?.indexOf(`<!-- /${name} -->`) ?? -1;
  if (before === undefined || rest === undefined || more.length > 0 || end < 0) {
    throw new Error(`${path} wants exactly one <!-- ${name} --> … <!-- /${name} -->`);
  }
  return `${before}<!-- ${name} -->\n\n${content}\n\n${rest.slice(end)}`;
}

/** Columns padded to one width, as the formatter of this repository writes them. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [header, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ').trim();
}

function read(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8');
}

async function main(check: boolean): Promise<void> {
  const stale: string[] = [];
  for (const [path, text] of await generate()) {
    if ((await read(path).catch(() => undefined)) !== text) {
      stale.push(path);
      if (!check) {
        await mkdir(dirname(join(ROOT, path)), { recursive: true });
        await writeFile(join(ROOT, path), text);
      }
    }
  }
  const verb = check ? 'not up to date' : 'written';
  console.log(
    stale.length === 0 ? 'generated docs are up to date' : stale.map((path) => `${verb}: ${path}`).join('\n'),
  );
  if (check && stale.length > 0) {
    console.error('Fix: npm run docs, and commit what it writes');
    process.exitCode = 1;
  }
}

if (import.meta.main) {
  await main(process.argv.includes('--check'));
}
