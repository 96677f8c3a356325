import { parseDigest, parseJsonWith } from '@gitless/core';
import { type Cell, PromoteResultSchema, type Result, ResultSchema } from '@gitless/pipeline';
import { expect } from './expect.ts';
import type { StepRecord } from './world.ts';

/** The step, if it ended well; else throws with the end of its log. */
export function requireSuccess(step: StepRecord): StepRecord {
  expect(
    step.exitCode === 0,
    `${step.name} ended with exit code ${step.exitCode}:\n${step.log.trimEnd().split('\n').slice(-15).join('\n')}`,
  );
  return step;
}

export function resultOf(step: StepRecord): Result {
  return parseJsonWith(ResultSchema, step.result, { code: 'BAD_RESULT', where: `the result of ${step.name}` });
}

/** The one cell of a promotion of one component. */
export function cellOf(step: StepRecord): Cell {
  const where = `the result of ${step.name}`;
  const { cells } = parseJsonWith(PromoteResultSchema, step.result, { code: 'BAD_RESULT', where });
  const [cell] = cells;
  expect(cell !== undefined && cells.length === 1, `${where} holds ${cells.length} cells in place of 1`);
  return cell;
}

/** The output `digest` of a step for one component. */
export function digestOf(step: StepRecord) {
  return parseDigest(`digest of ${step.name}`, step.outputs['digest'] ?? '');
}
