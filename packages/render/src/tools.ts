import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { type Context, type Digest, parseDigest, parseJsonWith, UserError } from '@gitless/core';
import * as v from 'valibot';
import { isFile } from './paths.ts';

export interface Tool {
  readonly name: 'helm' | 'kustomize' | 'kubectl';
  /** Without a leading `v`. For `kubectl` that of the kustomize built into it. */
  readonly version: string;
  /** Of the executable file. */
  readonly digest: Digest;
  /** Whether the version was asked for, and so is as expected. */
  readonly asserted: boolean;
  /** Absolute path. */
  readonly file: string;
}

type Program = 'helm' | 'kustomize';

const found = new WeakMap<Context, Map<string, Promise<Tool>>>();

/**
 * The tool on PATH, with version and digest of its binary for provenance. Without `kustomize`, the one in `kubectl` is
 * taken and recorded as such. Looked for once in a context: the binary is tens of megabytes, and each component asks.
 * Throws `TOOL_MISSING`, `TOOL_VERSION` (other than `asserted`), `TOOL_FAILED`.
 */
export function findTool(context: Context, program: Program, asserted?: string): Promise<Tool> {
  const tools = found.get(context) ?? new Map<string, Promise<Tool>>();
  found.set(context, tools);
  const key = `${program} ${asserted ?? ''}`;
  const tool = tools.get(key) ?? lookFor(context, program, asserted);
  tools.set(key, tool);
  return tool;
}

async function lookFor(context: Context, program: Program, asserted: string | undefined): Promise<Tool> {
  const { name, file } = await locate(context, program);
  const version = await VERSION_OF[name](context, file);
  if (asserted !== undefined && bare(asserted) !== version) {
    throw new UserError({
      code: 'TOOL_VERSION',
      what: `${name} on PATH is ${version}, and ${program} ${bare(asserted)} is asserted`,
      why: 'another version can render other bytes',
      fix: `install ${program} ${bare(asserted)} before this step, or change tools.${program}`,
    });
  }
  if (asserted === undefined) {
    context.log.warning(notAsserted({ name, version }));
  }
  return { name, version, digest: await digestOf(file), asserted: asserted !== undefined, file };
}

/** What a run says when nobody said which version renders. */
export function notAsserted({ name, version }: Pick<Tool, 'name' | 'version'>): string {
  const program = name === 'kubectl' ? 'kustomize' : name;
  const found = name === 'kubectl' ? `${version} in kubectl` : version;
  return `the version of ${program} is not asserted: ${found} on PATH is used; set tools.${program} to pin it`;
}

const VERSION_OF: Record<Tool['name'], (context: Context, file: string) => Promise<string>> = {
  helm: async (context, file) => versionIn('helm', await run(context, file, ['version', '--template', '{{.Version}}'])),
  kustomize: async (context, file) => versionIn('kustomize', await run(context, file, ['version'])),
  kubectl: async (context, file) => {
    const output = await run(context, file, ['version', '--client', '--output', 'json']);
    const source = { code: 'TOOL_FAILED', where: 'the output of kubectl version', fix: 'install kustomize itself' };
    return versionIn(
      'kubectl',
      parseJsonWith(v.object({ kustomizeVersion: v.string() }), output, source).kustomizeVersion,
    );
  },
};

async function locate(context: Context, program: Program): Promise<Pick<Tool, 'name' | 'file'>> {
  for (const name of program === 'kustomize' ? (['kustomize', 'kubectl'] as const) : (['helm'] as const)) {
    const file = await onPath(context, name);
    if (file !== undefined) {
      return { name, file };
    }
  }
  throw new UserError({
    code: 'TOOL_MISSING',
    what: `${program} is not on PATH`,
    why: `the ${program} engine runs the real ${program}`,
    fix: `install it in an earlier step (for example azure/setup-helm for helm, a checked download for kustomize) and pin its version with tools.${program}`,
  });
}

async function onPath(context: Context, name: string): Promise<string | undefined> {
  for (const directory of (context.env['PATH'] ?? '').split(delimiter)) {
    const file = join(directory, name);
    // A relative entry would run what lies in the checkout.
    if (isAbsolute(directory) && (await isFile(file)) && (await isExecutable(file))) {
      return file;
    }
  }
  return undefined;
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Runs a tool and gives its standard output. Throws `TOOL_FAILED` with the end of its standard error. */
export async function run(
  context: Context,
  file: string,
  args: readonly string[],
  options?: { cwd?: string; env?: Readonly<Record<string, string>> },
): Promise<string> {
  const result = await context.exec(file, args, options);
  if (result.exitCode !== 0) {
    throw new UserError({
      code: 'TOOL_FAILED',
      what: `${file.split('/').at(-1)} ${args[0] ?? ''} ended with exit code ${result.exitCode}`,
      why: lastLines(result.stderr) || 'it printed no reason',
      fix: 'run the same command on the same files to reproduce it',
    });
  }
  if (result.stderr.trim() !== '') {
    context.log.debug(result.stderr.trim());
  }
  return result.stdout;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-10).join('\n').slice(-2000);
}

function versionIn(name: string, output: string): string {
  const found = /\bv?(\d+\.\d+(?:\.\d+)?(?:[-+][0-9A-Za-z.+-]+)?)/.exec(output)?.[1];
  if (found === undefined) {
    throw new UserError({
      code: 'TOOL_FAILED',
      what: `${name} does not say which version it is`,
      why: `it answered ${JSON.stringify(output.trim().slice(0, 80))}`,
      fix: `install a released ${name}`,
    });
  }
  return found;
}

function bare(version: string): string {
  return version.replace(/^v/, '');
}

async function digestOf(file: string): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) {
    hash.update(chunk);
  }
  return parseDigest(file, `sha256:${hash.digest('hex')}`);
}
