import './scripts/require-node24.mjs';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'actions/*/src/**/*.test.ts', 'test/{contract,actions,repository}/**/*.test.ts'],
    allowOnly: false,
  },
});
