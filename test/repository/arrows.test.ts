import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARROWS, findFaults, type Member, readMembers } from '../../scripts/check-arrows.ts';
import { ROOT } from '../../scripts/repository.ts';

describe('check-arrows', () => {
  const core: Member = {
    group: 'packages',
    folder: 'core',
    manifest: { name: '@gitless/core', dependencies: { valibot: '1.0.0' } },
    sources: new Map([['index.ts', "export { a } from './a.ts';\n"]]),
  };
  const withDependencies = (folder: string, rest: object, group: Member['group'] = 'packages'): Member => ({
    ...core,
    group,
    folder,
    manifest: { name: `@gitless/${folder}`, ...rest },
  });

  it('finds nothing in this repository', async () => {
    const members = await readMembers(ROOT);
    expect(members.map(({ group, folder }) => `${group}/${folder}`)).toEqual(
      expect.arrayContaining([...Object.keys(ARROWS).map((name) => `packages/${name}`), 'actions/sign']),
    );
    expect(findFaults(members)).toEqual([]);
  });

  it.each<[string, Member, string]>([
    [
      'an arrow that is not drawn',
      withDependencies('oci', { dependencies: { '@gitless/core': '0.1.0', '@gitless/signing': '0.1.0' } }),
      'packages/oci/package.json: @gitless/oci may not depend on @gitless/signing',
    ],
    [
      'an arrow against its direction',
      withDependencies('core', { dependencies: { '@gitless/oci': '0.1.0' } }),
      'packages/core/package.json: @gitless/core may not depend on @gitless/oci',
    ],
    [
      'a domain package that knows the CI',
      withDependencies('pipeline', { dependencies: { '@gitless/ci': '0.1.0' } }),
      'packages/pipeline/package.json: @gitless/pipeline may not depend on @gitless/ci',
    ],
    [
      'an arrow as peer dependency',
      withDependencies('render', { peerDependencies: { '@gitless/oci': '0.1.0' } }),
      'packages/render/package.json: @gitless/render may not depend on @gitless/oci',
    ],
    [
      'a test that reaches where its package may not',
      withDependencies('render', { devDependencies: { '@gitless/testkit': '0.1.0', '@gitless/pipeline': '0.1.0' } }),
      'packages/render/package.json: @gitless/render may not test with @gitless/pipeline',
    ],
    [
      'the testkit as dependency',
      withDependencies('sign', { dependencies: { '@gitless/testkit': '0.1.0' } }, 'actions'),
      'actions/sign/package.json: @gitless/sign may not depend on @gitless/testkit',
    ],
    [
      'an action that depends on another',
      withDependencies('sign', { dependencies: { '@gitless/action-push': '0.1.0' } }, 'actions'),
      'actions/sign/package.json: @gitless/sign may not depend on @gitless/action-push',
    ],
    [
      'the runner in a domain package',
      withDependencies('oci', { dependencies: { '@actions/core': '3.0.1' } }),
      'packages/oci/package.json: @gitless/oci may not depend on @actions/core, which belongs to packages/ci and actions',
    ],
    [
      'a package that nobody drew',
      withDependencies('helpers', {}),
      'packages/helpers/package.json: @gitless/helpers has no place among the arrows; give it one in scripts/check-arrows.ts',
    ],
  ])('refuses %s', (_what, member, fault) => {
    expect(findFaults([core, member])).toEqual([fault]);
  });

  it.each([
    ["const home = process.env['HOME'];", 'uses process.env; a domain package gets a context instead'],
    ['process.exit(1);', 'uses process.exit; a domain package gets a context instead'],
    ["console.log('x');", 'uses console; a domain package gets a context instead'],
    ["import { env } from 'node:process';", 'uses node:process; a domain package gets a context instead'],
    ["import { startRegistry } from '@gitless/testkit';", 'imports @gitless/testkit, which is for tests only'],
  ])('refuses %s in a file that ships, and lets a test have it', (line, fault) => {
    const shipped = { ...core, sources: new Map([...core.sources, ['a.ts', "import './b/c.ts';"], ['b/c.ts', line]]) };
    expect(findFaults([shipped])).toEqual([`packages/core/src/b/c.ts: ${fault}`]);
    const tests = {
      ...core,
      sources: new Map([...core.sources, ['a.ts', ''], ['a.test.ts', line], ['fixture.ts', line]]),
    };
    expect(findFaults([tests])).toEqual([]);
  });
});

describe("Biome's rules, on a tree of two packages", () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'arrows-'));
    await copyFile(join(ROOT, 'biome.json'), join(root, 'biome.json'));
    await write('.gitignore', 'node_modules\n');
    await write('package.json', JSON.stringify({ name: 'root', workspaces: ['packages/*'] }));
    for (const [name, dependencies] of Object.entries({ core: {}, oci: { '@gitless/core': '0.1.0' } })) {
      await write(`packages/${name}/package.json`, JSON.stringify({ name: `@gitless/${name}`, dependencies }));
      await write(`packages/${name}/src/index.ts`, `export const ${name} = 1;\n`);
    }
  });
  afterAll(() => rm(root, { recursive: true }));

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }

  /** Categories of what Biome refuses in one file. */
  async function lint(path: string, text: string): Promise<string[]> {
    await write(path, text);
    const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
    const stdout = await new Promise<string>((resolve) => {
      execFile(process.execPath, [biome, 'lint', '--reporter=json', path], { cwd: root }, (_error, out) =>
        resolve(out),
      );
    });
    await rm(join(root, path));
    const report: { diagnostics: { category: string }[] } = JSON.parse(stdout);
    return report.diagnostics.map(({ category }) => category);
  }

  it('take a declared arrow', async () => {
    const text = "import { core } from '@gitless/core';\n\nexport const both = core;\n";
    expect(await lint('packages/oci/src/a.ts', text)).toEqual([]);
  });

  it('refuse a package that is not declared', async () => {
    const text = "import { oci } from '@gitless/oci';\n\nexport const both = oci;\n";
    expect(await lint('packages/core/src/a.ts', text)).toEqual(['lint/correctness/noUndeclaredDependencies']);
  });

  it.each(['../../oci/src/index.ts', '../../../packages/oci/src/index.ts', '../../../actions/sign/src/main.ts'])(
    'refuse the relative way around it, %s',
    async (path) => {
      const text = `import { oci } from '${path}';\n\nexport const both = oci;\n`;
      expect(await lint('packages/core/src/a.ts', text)).toContain('lint/style/noRestrictedImports');
    },
  );
});
