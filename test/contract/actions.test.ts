import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ACTIONS, ROOT } from '../../scripts/repository.ts';
import { files, read } from '../repository/support.ts';

const description = v.pipe(v.string(), v.trim(), v.minLength(10));
const ActionFile = v.strictObject({
  name: v.pipe(v.string(), v.startsWith('gitless ')),
  description,
  author: v.literal('gitless'),
  branding: v.strictObject({ icon: v.string(), color: v.string() }),
  // The runner takes any scalar for text; quotes keep `1.10` and `true` what they are.
  inputs: v.record(
    v.string(),
    v.strictObject({ description, required: v.boolean(), default: v.exactOptional(v.string()) }),
  ),
  outputs: v.record(v.string(), v.strictObject({ description })),
  runs: v.strictObject({ using: v.literal('node24'), main: v.string() }),
});
const InputsModule = v.object({
  inputs: v.record(
    v.string(),
    v.looseObject({ required: v.boolean(), secret: v.boolean(), default: v.exactOptional(v.string()) }),
  ),
});

/** Defaults that only the runner can fill in. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  'work-dir': `\${{ runner.temp }}/gitless`,
  'job-token': `\${{ github.token }}`,
};

describe.each(ACTIONS)('actions/%s', (action) => {
  const file = v.parse(ActionFile, parse(read(`actions/${action}/action.yml`)));
  const bundle = resolve(ROOT, 'actions', action, file.runs.main);

  it('has the inputs that the code reads, required or with the same defaults', async () => {
    const module: unknown = await import(join(ROOT, 'actions', action, 'src/inputs.ts'));
    const read = Object.entries(v.parse(InputsModule, module).inputs).map(([name, spec]) => [
      name,
      { required: spec.required, default: EXPRESSIONS[name] ?? spec.default },
    ]);
    const declared = Object.entries(file.inputs).map(([name, input]) => [
      name,
      { required: input.required, default: input.default },
    ]);
    expect(Object.fromEntries(declared)).toEqual(Object.fromEntries(read));
  });

  it('describes secrets as masked, and nothing else', async () => {
    const module: unknown = await import(join(ROOT, 'actions', action, 'src/inputs.ts'));
    const secrets = Object.entries(v.parse(InputsModule, module).inputs).filter(([, { secret }]) => secret);
    for (const [name] of secrets) {
      expect(name === 'job-token' || /Masked/.test(file.inputs[name]?.description ?? ''), name).toBe(true);
    }
  });

  it('sets every output that it declares, and none other', () => {
    const code = read(join('dist', action, 'main.cjs'));
    const set = [...code.matchAll(/\.setOutput\("([^"]+)"/g)].map(([, name]) => name);
    expect([...new Set(set)].sort()).toEqual(Object.keys(file.outputs).sort());
    expect(code.match(/\.setOutput\((?!")/g), 'outputs without a fixed name').toBeNull();
  });

  it('shows every input and output in its README', () => {
    const rows = [...read(`actions/${action}/README.md`).matchAll(/^\| `([^`]+)` *\|/gm)].map(([, name]) => name);
    expect(rows).toEqual([...Object.keys(file.inputs), ...Object.keys(file.outputs)]);
  });

  it('starts the bundle that is shipped', () => {
    expect(bundle).toBe(join(ROOT, 'dist', action, 'index.cjs'));
    expect(existsSync(bundle)).toBe(true);
  });

  it('writes no expression into a description, where it would stay as it stands', () => {
    const texts = [...Object.values(file.inputs), ...Object.values(file.outputs)].map((entry) => entry.description);
    expect(texts.filter((text) => text.includes('${{'))).toEqual([]);
  });
});

describe('inputs of the same name', () => {
  const all = ACTIONS.flatMap((action) =>
    Object.entries(v.parse(ActionFile, parse(read(`actions/${action}/action.yml`))).inputs).map(
      ([name, input]) => [name, action, input.default] as const,
    ),
  );

  it('have one default in all actions', () => {
    const defaults = Map.groupBy(all, ([name]) => name);
    const differing = [...defaults].filter(([, entries]) => new Set(entries.map(([, , value]) => value)).size > 1);
    expect(differing).toEqual([]);
  });
});

describe('errors that a user can meet', () => {
  const sources = files('{packages,actions}/*/src/**/*.ts').filter(
    (path) => !/\.test\.ts$|test-support|fixture|\/fake-|^packages\/testkit\//.test(path),
  );

  it.each(sources)('say what to do: %s', (path) => {
    const silent = problemsIn(read(path)).filter((problem) => !/\bfix\b|\.\.\.base\b|\breason:/.test(problem));
    expect(silent).toEqual([]);
  });
});

/** Every object literal with a `code`, from its opening brace to the one that closes it. */
function problemsIn(source: string): string[] {
  return [...source.matchAll(/\bcode: '[A-Z_]+'/g)]
    .map(({ index }) => braces(source, source.lastIndexOf('{', index)))
    .filter((problem) => /\b(?:what|where)\b/.test(problem) && !problem.endsWith('as const'));
}

function braces(source: string, start: number): string {
  let depth = 0;
  for (let at = start; at < source.length; at += 1) {
    depth += source[at] === '{' ? 1 : source[at] === '}' ? -1 : 0;
    if (depth === 0) {
      return source.slice(start, source.startsWith(' as const', at + 1) ? at + 10 : at + 1);
    }
  }
  return source.slice(start);
}
