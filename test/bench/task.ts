import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspace } from '@gitless/testkit';
import type { Network } from './world.ts';

/** The components of one checkout, to be shipped and promoted by one side into repositories of its own. */
export interface Task {
  readonly network: Network;
  readonly workspace: Workspace;
  readonly names: readonly string[];
  /** Empty directory. */
  readonly temp: string;
  /** First part of the repositories that are shipped to and promoted to. */
  readonly candidates: string;
  readonly production: string;
}

let made = 0;

export async function newTask(network: Network, workspace: Workspace, names: readonly string[]): Promise<Task> {
  made += 1;
  return {
    network,
    workspace,
    names,
    temp: await mkdtemp(join(network.state.folder, 'task-')),
    candidates: `task-${made}`,
    production: `production-${made}`,
  };
}
