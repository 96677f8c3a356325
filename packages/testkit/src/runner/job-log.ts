import { maskSecrets } from './mask.ts';
import { parseWorkflowCommand, type WorkflowCommand } from './workflow-command.ts';

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly message: string;
}

/** What the runner makes of a step's lines, in the order in which they arrive. */
export interface JobLog {
  /** Takes one line of stdout or stderr, without its end. */
  line(text: string): void;
  /** Lines as a reader of the job's log sees them. */
  readonly lines: readonly string[];
  /** Values that the action asked to mask. */
  readonly masks: readonly string[];
  readonly annotations: readonly Annotation[];
  /** Set by the deprecated commands `set-output` and `save-state`, which the runner still obeys. */
  readonly outputs: ReadonlyMap<string, string>;
  readonly state: ReadonlyMap<string, string>;
}

const COMMANDS = new Set([
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
]);

/**
 * Obeys workflow commands as actions/runner does (ActionCommandManager.cs). A mask counts for later lines only, whole and
 * line by line. The runner masks some encodings of a secret as well (base64, JSON, URI); here an action has to do that
 * itself, so that a test sees when it does not.
 *
 * @param secrets masked from the first line on: what the runner knows of by itself
 * @param debug whether `::debug::` lines show (`RUNNER_DEBUG=1`)
 */
export function createJobLog(secrets: readonly string[], debug: boolean): JobLog {
  const hidden = new Set(secrets);
  const lines: string[] = [];
  const masks: string[] = [];
  const annotations: Annotation[] = [];
  const outputs = new Map<string, string>();
  const state = new Map<string, string>();
  let stopToken: string | undefined;

  function output(text: string): void {
    lines.push(...maskSecrets(text, hidden).split('\n'));
  }

  function annotate(level: Annotation['level'], message: string): void {
    annotations.push({ level, message });
    output(`##[${level}]${message}`);
  }

  function obey({ name, properties, data }: WorkflowCommand, text: string): void {
    switch (name) {
      case 'add-mask':
        if (data.trim() === '') {
          annotate('warning', "Can't add secret mask for empty string in ##[add-mask] command.");
          return;
        }
        masks.push(data);
        for (const part of [data, ...data.split(/[\r\n]+/)]) {
          hidden.add(part);
        }
        return;
      case 'error':
      case 'warning':
      case 'notice':
        annotate(name, data);
        return;
      case 'debug':
        if (debug) {
          output(`##[debug]${data}`);
        }
        return;
      case 'group':
        output(`##[group]${data}`);
        return;
      case 'endgroup':
        output('##[endgroup]');
        return;
      case 'stop-commands':
        stopToken = data.toLowerCase();
        output(text);
        return;
      case 'set-output':
      case 'save-state':
        (name === 'set-output' ? outputs : state).set(properties.get('name') ?? '', data);
        return;
      case 'set-env':
      case 'add-path':
        annotate('error', `Unable to process command '${text}' successfully.`);
        return;
      default:
      // Problem matchers and echo change nothing that a test of ours looks at.
    }
  }

  return {
    lines,
    masks,
    annotations,
    outputs,
    state,
    line(text) {
      if (stopToken !== undefined) {
        const token = stopToken;
        if (parseWorkflowCommand(text, (name) => name === token) !== undefined) {
          stopToken = undefined;
        }
        output(text);
        return;
      }
      const command = parseWorkflowCommand(text, (name) => COMMANDS.has(name));
      if (command === undefined) {
        output(text);
      } else {
        obey(command, text);
      }
    },
  };
}
