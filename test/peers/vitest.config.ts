import '../../scripts/require-node24.mjs';
import { defineConfig } from 'vitest/config';
import { reporters } from '../reporters.ts';

export default defineConfig({
  test: {
    include: ['test/peers/**/*.test.ts'],
    globalSetup: ['test/peers/global-setup.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    allowOnly: false,
    reporters,
  },
});
