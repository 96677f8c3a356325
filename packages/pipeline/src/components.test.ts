import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@gitless/core';
import { describe, expect, it } from 'vitest';
import { filterByName, resolveComponents } from './components.ts';
import type { ComponentEntry, Config } from './config-schema.ts';
import { withDirectory } from './fixtures.ts';

const NONE = { name: undefined, path: undefined, components: [] };

function listing(...components: ComponentEntry[]): Config {
  return { schema: 1, components };
}

async function withFolders<T>(folders: readonly string[], work: (workspace: string) => T): Promise<T> {
  return withDirectory(async (workspace) => {
    for (const folder of folders) {
      await mkdir(join(workspace, folder), { recursive: true });
    }
    return work(workspace);
  });
}

function refusal(work: () => unknown): UserError {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) {
      return error;
    }
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('resolveComponents', () => {
  it('takes the one that the inputs describe', () => {
    expect(resolveComponents('/w', undefined, { name: 'web', path: 'apps/web', components: [] })).toEqual([
      { name: 'web', path: 'apps/web' },
    ]);
    expect(resolveComponents('/w', { schema: 1 }, { name: 'web', path: '.', components: ['web'] })).toHaveLength(1);
  });

  it.each([
    ['neither name nor path', undefined, undefined],
    ['a name alone', 'web', undefined],
    ['a path alone', undefined, 'apps/web'],
  ])('says what is missing with %s', (_what, name, path) => {
    expect(refusal(() => resolveComponents('/w', undefined, { name, path, components: [] })).code).toBe(
      'COMPONENT_MISSING',
    );
  });

  it.each([
    ['name', { ...NONE, name: 'web' }],
    ['path', { ...NONE, path: 'apps/web' }],
  ])('refuses the input %s beside a list', (_what, inputs) => {
    const config = listing({ name: 'web', path: 'apps/web' });
    expect(refusal(() => resolveComponents('/w', config, inputs)).code).toBe('COMPONENT_TWICE');
  });

  it('expands a pattern to folders, sorted by name, with what the entry says of all', async () => {
    await withFolders(
      ['components/web', 'components/api', 'components/_shared', 'components/old'],
      async (workspace) => {
        await symlink('web', join(workspace, 'components/link'));
        const config = listing({
          pattern: 'components/*',
          ignore: ['components/_*', 'components/old'],
          engine: 'plain',
          environments: ['staging'],
        });
        expect(resolveComponents(workspace, config, NONE)).toEqual([
          { name: 'api', path: 'components/api', engine: 'plain', environments: ['staging'] },
          { name: 'web', path: 'components/web', engine: 'plain', environments: ['staging'] },
        ]);
        expect(resolveComponents(`${workspace}/`, config, NONE).map(({ path }) => path)).toEqual([
          'components/api',
          'components/web',
        ]);
      },
    );
  });

  it('refuses a pattern that matches no folder', async () => {
    await withFolders(['components'], (workspace) => {
      const error = refusal(() => resolveComponents(workspace, listing({ pattern: 'components/*' }), NONE));
      expect(error.code).toBe('COMPONENT_MISSING');
      expect(error.message).toContain('"components/*"');
    });
  });

  it('refuses two components of one name and tells both places', async () => {
    await withFolders(['a/web', 'b/web'], (workspace) => {
      const error = refusal(() => resolveComponents(workspace, listing({ pattern: '*/web' }), NONE));
      expect(error.code).toBe('COMPONENT_TWICE');
      expect([...(error.problem.details ?? [])].sort()).toEqual(['a/web', 'b/web']);
    });
  });

  it('refuses a folder whose name cannot be a component', async () => {
    await withFolders(['components/Web App'], (workspace) => {
      expect(refusal(() => resolveComponents(workspace, listing({ pattern: 'components/*' }), NONE)).code).toBe(
        'BAD_NAME',
      );
    });
  });

  it('keeps to the filter and knows what was meant by another name', () => {
    const config = listing({ name: 'web', path: 'w' }, { name: 'api', path: 'a' }, { name: 'docs', path: 'd' });
    const only = resolveComponents('/w', config, { ...NONE, components: ['web', 'api'] });
    expect(only.map(({ name }) => name)).toEqual(['api', 'web']);
    const error = refusal(() => resolveComponents('/w', config, { ...NONE, components: ['wbe', 'payments'] }));
    expect(error.code).toBe('COMPONENT_UNKNOWN');
    expect(error.message).toContain('wbe, payments');
    expect(error.problem.details).toEqual(['did you mean web instead of wbe?']);
    expect(error.problem.fix).toBe('the components are: api, docs, web');
  });
});

describe('filterByName', () => {
  it('gives all, sorted by code unit, when nothing is named', () => {
    const components = [{ name: 'web' }, { name: 'api-2' }, { name: 'api' }];
    expect(filterByName(components, [])).toEqual([{ name: 'api' }, { name: 'api-2' }, { name: 'web' }]);
    expect(components[0]?.name).toBe('web');
  });
});
