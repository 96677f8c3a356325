import { cpSync } from 'node:fs';
import { join } from 'node:path';

const { ARTIFACTS, INPUT_NAME, INPUT_PATH } = process.env;
cpSync(join(ARTIFACTS, INPUT_NAME), INPUT_PATH, { recursive: true });
