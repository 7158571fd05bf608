/**
 * Experiments that are over. One is looked at until everything that could still change its numbers has come: its end is
 * in force everywhere, and the longest window has passed since. After that reading it costs nothing, until it begins
 * again.
 */
import type { Evaluation } from '../kernel/evaluation.ts';
import { endedStatuses, type ExperimentRevision } from '../kernel/experiment.ts';

export type Endings = {
  /** A reading of it is out. */
  published(evaluation: Evaluation): void;
  hasEnded(experiment: ExperimentRevision): boolean;
};

function isLast({ experiment, settled, watermark }: Evaluation): boolean {
  if (!endedStatuses.has(experiment.status) || !settled) return false;
  const longestMs = Math.max(...experiment.spec.metrics.map(({ windowMs }) => windowMs));
  return watermark === undefined || watermark > experiment.appliedAt + longestMs;
}

export function createEndings(): Endings {
  /** Revision of each that has had its last reading. */
  const last = new Map<string, number>();
  return {
    published: (evaluation) => {
      const { spec, revision } = evaluation.experiment;
      if (isLast(evaluation)) last.set(spec.id, revision);
      else last.delete(spec.id);
    },
    hasEnded: ({ spec, revision }) => last.get(spec.id) === revision,
  };
}
