/** An experiment file as the verbs take it. */
import { readFileSync } from 'node:fs';
import { parseExperimentFile } from '../control/index.ts';
import type { ExperimentSpec } from '../kernel/experiment.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';

/** A file's specification, or every problem in it. */
export function readExperimentFile(file: string): { readonly spec: ExperimentSpec; readonly sha: string } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PipelineError('INPUT_UNREADABLE', `${file} cannot be read`, { cause, hint: 'check the path' });
  }
  const parsed = parseExperimentFile(text, file);
  if (!parsed.ok)
    throw new PipelineError(
      'EXPERIMENT_INVALID',
      [
        `${parsed.problems.length} problem${parsed.problems.length === 1 ? '' : 's'}, nothing was changed:`,
        ...parsed.problems.map(({ message }) => `  ${message}`),
      ].join('\n'),
      { hint: 'correct the lines named' },
    );
  return parsed;
}

/** The same for verbs that have no control traffic to learn baselines from. */
export function readResolvedExperiment(file: string): { readonly spec: ExperimentSpec; readonly sha: string } {
  const read = readExperimentFile(file);
  const waiting = read.spec.learning?.metrics.map(({ id }) => id) ?? [];
  if (waiting.length > 0)
    throw new PipelineError('EXPERIMENT_INVALID', `${file}: no baseline for ${waiting.join(', ')}`, {
      hint: 'declare baseline: { mean, sd } from before the run; only `apply` can learn one, from live control traffic',
    });
  return read;
}
