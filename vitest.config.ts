import './scripts/require-node24.mjs';
import { defineConfig } from 'vitest/config';
import { reporters } from './test/reporters.ts';

export default defineConfig({
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'actions/*/src/**/*.test.ts',
      'test/{contract,actions,repository}/**/*.test.ts',
    ],
    allowOnly: false,
    // Half of a black-box test is waiting for a spawned action: more workers than cores overlap it.
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters,
  },
});
