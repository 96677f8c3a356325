import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

const { ARTIFACTS, INPUT_NAME, INPUT_OVERWRITE, INPUT_PATH } = process.env;
const artifact = join(ARTIFACTS, INPUT_NAME);
if (existsSync(artifact) && INPUT_OVERWRITE !== 'true') {
  throw new Error(`an artifact ${INPUT_NAME} already exists in this run`);
}
rmSync(artifact, { recursive: true, force: true });
mkdirSync(artifact);
cpSync(INPUT_PATH, join(artifact, basename(INPUT_PATH)));
