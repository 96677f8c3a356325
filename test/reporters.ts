const report = process.env['GITLESS_TEST_REPORT'];

/** What a person reads, and beside it, where `.ci/run` asks for it, a JSON report to count from. */
export const reporters: (string | [string, Record<string, unknown>])[] = [
  'default',
  ...(report === undefined ? [] : [['json', { outputFile: report }] satisfies [string, Record<string, unknown>]]),
];
