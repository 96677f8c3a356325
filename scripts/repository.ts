import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of this repository. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The actions that are shipped. */
export const ACTIONS = ['render', 'package', 'sign', 'push', 'promote'] as const;
