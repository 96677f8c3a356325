import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { type Context, UserError } from '@gitless/core';
import { cutDocuments } from '../documents.ts';
import {
  isRemote,
  KUSTOMIZATION_NAMES,
  type KustomizationContent,
  readKustomization,
  readPluginConfiguration,
  withoutUserInfo,
} from '../kustomization-walk.ts';
import { isDirectory, isFile, requireInside } from '../paths.ts';
import { run, type Tool } from '../tools.ts';
import { isMapping, parseYaml } from '../yaml.ts';

export interface KustomizeRequest {
  readonly tool: Tool;
  /** Absolute. */
  readonly directory: string;
  readonly workspace: string;
}

/**
 * `kustomize build` with its defaults: files from the kustomization's own root only, no Helm, no plugins.
 * Throws `REMOTE_BASE` before the build, `PATH_ESCAPES`, `KUSTOMIZATION_MISSING`, `TOOL_FAILED`.
 */
export async function renderKustomize(context: Context, request: KustomizeRequest): Promise<string> {
  await requireLocalBases(request.workspace, request.directory);
  const { tool } = request;
  return run(context, tool.file, [tool.name === 'kubectl' ? 'kustomize' : 'build', request.directory]);
}

/** Follows every base from `directory`; what is fetched while building is not what the commit says. */
async function requireLocalBases(workspace: string, directory: string): Promise<void> {
  const problems: string[] = [];
  const seen = new Set<string>();
  const queue = [directory];
  for (const folder of queue) {
    const real = await requireInside(workspace, folder, () => noKustomization(workspace, folder));
    const file = seen.has(real) ? undefined : await kustomizationIn(real);
    seen.add(real);
    if (file !== undefined) {
      const name = relative(workspace, join(folder, file.slice(real.length)));
      const content = readKustomization(name, await readFile(file, 'utf8'));
      for (const part of [content, ...(await pluginConfigurations(real, name, content))]) {
        problems.push(...remoteProblems(name, part));
      }
      const bases = content.references.filter(({ value }) => !isRemote(value)).map(({ value }) => resolve(real, value));
      for (const base of bases) {
        if (await isDirectory(base)) {
          queue.push(base);
        }
      }
    } else if (folder === directory) {
      throw noKustomization(workspace, directory);
    }
  }
  if (problems.length > 0) {
    throw new UserError({
      code: 'REMOTE_BASE',
      what: 'kustomizations draw on content from outside the repository',
      details: problems,
      why: 'it can change without a commit, and is fetched unverified',
      fix: 'copy it into the repository (kustomize localize) and refer to it by a relative path',
    });
  }
}

function remoteProblems(name: string, content: KustomizationContent): string[] {
  return [
    ...content.references
      .filter(({ value }) => isRemote(value))
      .map(({ field, value }) => `${name}: ${field} names ${withoutUserInfo(value)}`),
    ...content.charts.map((field) => `${name}: ${field} pulls a chart; render it with the helm engine`),
  ];
}

/** Builtin plugins fetch too; a kustomization holds their configuration in place or names its file. */
async function pluginConfigurations(
  folder: string,
  name: string,
  content: KustomizationContent,
): Promise<KustomizationContent[]> {
  const texts = content.inline.filter(({ field }) => PLUGIN_FIELDS.includes(field)).map(({ text }) => text);
  for (const { field, value } of content.references) {
    const file = resolve(folder, value);
    if (PLUGIN_FIELDS.includes(field) && !isRemote(value) && (await isFile(file))) {
      texts.push(await readFile(file, 'utf8'));
    }
  }
  return texts
    .flatMap((text) => cutDocuments(text))
    .map(({ text, line }) => parseYaml(name, text, line))
    .filter(isMapping)
    .filter((value) => value['apiVersion'] === 'builtin')
    .map(readPluginConfiguration);
}

/** `resources` too: generators may name a folder, whose kustomization lists them so. */
const PLUGIN_FIELDS: readonly string[] = ['generators', 'transformers', 'validators', 'resources'];

async function kustomizationIn(directory: string): Promise<string | undefined> {
  for (const name of KUSTOMIZATION_NAMES) {
    if (await isFile(join(directory, name))) {
      return join(directory, name);
    }
  }
  return undefined;
}

function noKustomization(workspace: string, directory: string): UserError {
  return new UserError({
    code: 'KUSTOMIZATION_MISSING',
    what: `${relative(workspace, directory) || '.'} holds no kustomization`,
    fix: `add a ${KUSTOMIZATION_NAMES[0]}, or choose the engine plain`,
  });
}
