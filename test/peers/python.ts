import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Installs what `requirements.txt` in `folder` pins, checked by its hashes, into a virtual environment of its own in
 * `target`. Run it with `target/bin/python -m …`: that still works after the environment was moved.
 * Throws an Error with the reason when Python is missing or a package cannot be had.
 */
export async function installPython(folder: string, target: string): Promise<void> {
  try {
    await run('python3', ['-m', 'venv', target]);
  } catch (error) {
    throw new Error('Python cannot make a virtual environment: install Python 3.10 or newer with its venv module', {
      cause: error,
    });
  }
  const python = join(target, 'bin', 'python');
  const requirements = join(folder, 'requirements.txt');
  const options = ['--quiet', '--require-hashes', '--no-deps', '--only-binary', ':all:'];
  await run(python, ['-m', 'pip', 'install', ...options, '--requirement', requirements]);
}
