/** `start`: stages in the foreground, on the addresses that the environment gives. */
import { readStageNames } from '../pipeline/config.ts';
import { runStages } from '../pipeline/run-stages.ts';

export const start = async (stages: readonly string[]): Promise<number> =>
  runStages(readStageNames(stages), process.env);
