import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigSchema } from '@gitless/pipeline';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { actionTables, schemas } from '../../scripts/generate-docs.ts';
import { ACTIONS, ROOT } from '../../scripts/repository.ts';
import { files, read, validator } from './support.ts';

/** Outside of fenced code, where brackets are brackets. */
const prose = (markdown: string) => markdown.replace(/^( *)```[\s\S]*?^\1```$/gm, '');

describe('generated docs', () => {
  it.each(ACTIONS)('show what the %s action takes and gives', async (action) => {
    const readme = read(`actions/${action}/README.md`);
    const { inputs, outputs } = await actionTables(action);
    expect(readme).toContain(`<!-- inputs -->\n\n${inputs}\n\n<!-- /inputs -->`);
    expect(readme).toContain(`<!-- outputs -->\n\n${outputs}\n\n<!-- /outputs -->`);
  });

  it('publish every JSON schema as the code parses, and no other', () => {
    expect(files('docs/schemas/*').map((path) => [path, read(path)])).toEqual(
      [...schemas()].map(([file, text]) => [`docs/schemas/${file}`, text]).sort(),
    );
  });
});

describe('the schema of gitless.yaml', () => {
  const valid = validator('gitless-yaml.schema.json');
  const web = { name: 'web', path: 'apps/web' };

  it.each(files('examples/*/gitless.yaml'))('accepts %s', (path) => {
    valid(parse(read(path)));
    expect(valid.errors).toBeNull();
  });

  it.each<[string, unknown]>([
    ['an unknown key', { schema: 1, component: [] }],
    ['another version', { schema: 2 }],
    ['an unknown engine', { schema: 1, components: [{ ...web, engine: 'jsonnet' }] }],
    ['an unknown key of a component', { schema: 1, components: [{ ...web, value: [] }] }],
    ['an absolute path', { schema: 1, components: [{ ...web, path: '/etc' }] }],
    ['a path that leaves the repository', { schema: 1, components: [{ ...web, path: 'a/../../b' }] }],
    ['.. as path', { schema: 1, components: [{ ...web, path: '..' }] }],
    ['an empty path', { schema: 1, components: [{ ...web, path: '' }] }],
    ['a name of one character', { schema: 1, components: [{ ...web, name: 'w' }] }],
    ['a name of 64 characters', { schema: 1, components: [{ ...web, name: 'w'.repeat(64) }] }],
    ['an upper-case name', { schema: 1, components: [{ ...web, name: 'Web' }] }],
    ['a component without path', { schema: 1, components: [{ name: 'web' }] }],
    ['half an identity', { schema: 1, identity: { issuer: 'https://issuer.test' } }],
    ['a key set to null', { schema: 1, registry: null }],
    ['another owner of a channel', { schema: 1, channels: { latest: { by: 'me' } } }],
  ])('refuses %s, as the code does', (_name, config) => {
    expect([valid(config), v.is(ConfigSchema, config)]).toEqual([false, false]);
  });

  it.each(['..a', 'a..b', '.../x', '{environment}', 'a b/ü'])('accepts the path %s, as the code does', (path) => {
    const config = { schema: 1, components: [{ name: 'web', path }] };
    expect([valid(config), v.is(ConfigSchema, config)]).toEqual([true, true]);
  });
});

describe('docs/errors.md', () => {
  const documented = [...read('docs/errors.md').matchAll(/^## (.*)$/gm)].map(([, code]) => code);

  it('explains every code that the code can throw, in order', () => {
    const sources = files('{packages,actions}/*/src/**/*.ts').filter(
      (path) => !/\.test\.ts$|test-support|fixture|\/fake-|^packages\/testkit\//.test(path),
    );
    const thrown = sources.flatMap((path) => [...read(path).matchAll(/\bcode: '([A-Z_]+)'/g)].map(([, code]) => code));
    expect(documented).toEqual([...new Set(thrown)].sort());
  });
});

/** The anchor that GitHub makes of a heading. */
function anchor(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

describe.each(files('**/*.md'))('%s', (path) => {
  it('links only to what exists', () => {
    const targets = [...prose(read(path)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const broken = targets
      .filter((target) => !/^(https?|mailto):/.test(target))
      .filter((target) => {
        const [file = '', fragment] = target.split('#');
        const linked = file === '' ? path : join(dirname(path), file);
        if (globSync(linked, { cwd: ROOT }).length === 0) {
          return true;
        }
        const headings = () => [...prose(read(linked)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
        return fragment !== undefined && !headings().map(anchor).includes(fragment);
      });
    expect(broken).toEqual([]);
  });
});

describe('README.md', () => {
  it.each(['npm ci && npm run demo', 'npm ci && npm test'])('has the line %s, which CI runs as it stands', (line) => {
    expect(read('README.md').split('\n')).toContain(line);
    expect(read('.ci/run')).toContain(`'${line}'`);
  });

  it('shows the one-job workflow as it is among the examples', () => {
    expect(read('README.md')).toContain(read('examples/workflows/ship-one-job.yml'));
  });
});
