/** How far a pipeline has come with what was sent to it: what a replay and the demo wait for. */
import { setTimeout as wait } from 'node:timers/promises';
import type { topics } from '../../schemas/generated.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import type { Pipeline } from '../pipeline/start.ts';
import type { RunningStage } from '../runtime/stage.ts';
import { topicName } from '../runtime/topics.ts';

type Suffix = (typeof topics)[number]['suffix'];

export type Progress = {
  /** Resolves when `isDone` says so; ends with the pipeline when a stage cannot go on. */
  until(isDone: () => boolean | Promise<boolean>): Promise<void>;
  /** Until the stage is done with all that the topic holds now; the offsets that the topic ended at. */
  caughtUp(suffix: Suffix, stage: Pick<RunningStage, 'position'>): Promise<readonly number[]>;
  /** Until statistics has looked at the unit log up to these offsets. */
  lookedAt(ends: readonly number[]): Promise<void>;
};

export function createProgress(pipeline: Pipeline, prefix: string, pollMs: number): Progress {
  const { log, statistics, failed } = pipeline;
  const until: Progress['until'] = async (isDone) => {
    while (!(await Promise.race([Promise.resolve(isDone()), failed]))) await wait(pollMs);
  };
  return {
    until,
    caughtUp: async (suffix, stage) => {
      const topic = topicName(prefix, suffix);
      const ends = await log.endOffsets(topic);
      await until(() => ends.every((end, partition) => (stage.position(topic, partition) ?? 0) >= end));
      return ends;
    },
    lookedAt: (ends) =>
      until(() =>
        ends.every((end, partition) => (statistics.lookedAt().get(partition) ?? 0) >= end * positionsPerOffset),
      ),
  };
}
