import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@gitless/core';
import { afterAll, describe, expect, it } from 'vitest';
import { folder, problemOf, recordingContext, removeFolders, toolbox } from './fixtures.ts';
import { findTool } from './tools.ts';

afterAll(removeFolders);

const VERSIONS = ({ program, args }: { program: string; args: readonly string[] }): string => {
  if (program === 'kubectl') {
    return JSON.stringify({ clientVersion: { gitVersion: 'v1.36.1' }, kustomizeVersion: 'v5.8.1' });
  }
  return program === 'helm' && args[1] === '--template' ? 'v4.2.4' : 'v5.8.1\n';
};

describe('findTool', () => {
  it('records version and digest of the binary that is asserted', async () => {
    const bin = await toolbox('helm');
    const { context, warnings } = recordingContext(`/nowhere:${bin}`, VERSIONS);
    expect(await findTool(context, 'helm', 'v4.2.4')).toEqual({
      name: 'helm',
      version: '4.2.4',
      digest: sha256('helm\n'),
      asserted: true,
      file: join(bin, 'helm'),
    });
    expect(warnings).toEqual([]);
  });

  it('warns when nobody said which version', async () => {
    const { context, warnings } = recordingContext(await toolbox('kustomize', 'kubectl'), VERSIONS);
    expect(await findTool(context, 'kustomize')).toMatchObject({ name: 'kustomize', asserted: false });
    expect(warnings.join()).toContain('tools.kustomize');
  });

  it('falls back to the kustomize in kubectl and says so', async () => {
    const { context } = recordingContext(await toolbox('kubectl'), VERSIONS);
    expect(await findTool(context, 'kustomize', '5.8.1')).toMatchObject({ name: 'kubectl', version: '5.8.1' });
  });

  it('asks the binary once, however many components want it', async () => {
    const { context, calls, warnings } = recordingContext(await toolbox('kustomize'), VERSIONS);
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => findTool(context, 'kustomize')));
    expect(others).toEqual([first, first]);
    expect(calls).toHaveLength(1);
    expect(warnings).toHaveLength(1);
    expect(await problemOf(() => findTool(context, 'kustomize', '4.0.0'))).toMatchObject({ code: 'TOOL_VERSION' });
  });

  it('refuses another version than the asserted one', async () => {
    const { context } = recordingContext(await toolbox('helm'), VERSIONS);
    expect(await problemOf(() => findTool(context, 'helm', '3.21.4'))).toMatchObject({ code: 'TOOL_VERSION' });
  });

  it('never runs a tool of the checkout, and says how to install a missing one', async () => {
    const bin = await folder();
    await mkdir(join(bin, 'helm'));
    const { context, calls } = recordingContext(`${bin}:.:`, VERSIONS);
    const problem = await problemOf(() => findTool(context, 'helm'));
    expect(problem).toMatchObject({ code: 'TOOL_MISSING' });
    expect(problem.fix).toContain('tools.helm');
    expect(calls).toEqual([]);
  });

  it('refuses a tool that does not say its version', async () => {
    const { context } = recordingContext(await toolbox('helm'), () => 'unreleased');
    expect(await problemOf(() => findTool(context, 'helm'))).toMatchObject({ code: 'TOOL_FAILED' });
  });
});
