import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What renders the component `web` here. */
export interface Engine {
  readonly name: 'helm' | 'kustomize' | 'plain';
  /** The tool and why it was chosen, for the reader. */
  readonly choice: string;
}

/** In the order of preference; the render action itself falls back from kustomize to kubectl in the same way. */
const TOOLS = [
  { program: 'helm', args: ['version', '--short'], works: /\bv[34]\./, engine: 'helm', label: 'helm' },
  { program: 'kustomize', args: ['version'], works: /\bv?\d+\.\d+/, engine: 'kustomize', label: 'kustomize' },
  {
    program: 'kubectl',
    args: ['version', '--client', '--output', 'json'],
    works: /kustomizeVersion/,
    engine: 'kustomize',
    label: 'kubectl kustomize',
  },
] as const;

/** The first tool on PATH that answers; without any, plain YAML is packed as it is. */
export async function detectEngine(): Promise<Engine> {
  const absent: string[] = [];
  for (const { program, args, works, engine, label } of TOOLS) {
    if (works.test(await answerOf(program, args))) {
      return { name: engine, choice: absent.length === 0 ? label : `${label} (not on PATH: ${absent.join(', ')})` };
    }
    absent.push(program);
  }
  return { name: 'plain', choice: `plain YAML (not on PATH: ${absent.join(', ')})` };
}

/** What a program on PATH prints; nothing when it is absent or fails. */
export async function answerOf(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, [...args], { timeout: 10_000 })).stdout;
  } catch {
    return '';
  }
}
