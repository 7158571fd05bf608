/** How far the stages of a deployment are: what they have committed, and what is durable. */
import { positionsPerOffset } from '../../../services/kernel/state/kinds.ts';
import { topicName } from '../../../services/runtime/topics.ts';
import { selectCheckpoints } from '../../support/state-sql.ts';
import { until } from '../../support/until.ts';
import type { Place } from './place.ts';
import type { StageName } from './stages-process.ts';

export const patienceMs = 150_000;

export type Progress = {
  checkpoints(): Promise<ReadonlyMap<number, number>>;
  folded(): Promise<number>;
  lag(): Promise<number>;
  unitEnds(): Promise<readonly number[]>;
  isConsumed(stages: readonly StageName[]): Promise<boolean>;
  consumed(stages: readonly StageName[]): Promise<void>;
};

const topicsOf = {
  redactor: ['inference.raw.v1', 'outcome.raw.v1'],
  linker: ['entity.v1'],
  joiner: ['unit.v1'],
} as const;

/** What `stage` has not committed of a topic, by partition. */
async function lagOf({ prefix, connection }: Place, stage: StageName, topic: string): Promise<number[]> {
  const ends = await connection.log.endOffsets(topic);
  const done = await connection.log.committedOffsets(`${prefix}-${stage}`, topic);
  return ends.map((end, partition) => end - (done[partition] ?? 0));
}

/** `assertRunning` throws when a stage has failed: what it has not read it never will. */
export function createProgress(place: Place, assertRunning: () => void): Progress {
  const { prefix, connection } = place;
  const lagsOf = (stage: StageName): Promise<number[][]> =>
    Promise.all(topicsOf[stage].map((topic) => lagOf(place, stage, topicName(prefix, topic))));
  const checkpoints: Progress['checkpoints'] = async () => {
    const rows = await connection.store.rows<{ partitionId: number; position: string }>(selectCheckpoints);
    return new Map(
      rows.map(({ partitionId, position }) => [partitionId, Math.floor(Number(position) / positionsPerOffset)]),
    );
  };
  const isConsumed: Progress['isConsumed'] = async (stages) => {
    assertRunning();
    try {
      for (const stage of stages) if ((await lagsOf(stage)).flat().some((lag) => lag > 0)) return false;
      return true;
    } catch {
      return false; // the broker is on its way back: asked again
    }
  };
  return {
    checkpoints,
    folded: async () => [...(await checkpoints()).values()].reduce((sum, next) => sum + next, 0),
    lag: async () => {
      let sum = 0;
      for (const stage of ['redactor', 'linker', 'joiner'] as const)
        for (const lag of (await lagsOf(stage)).flat()) sum += lag;
      return sum;
    },
    unitEnds: () => connection.log.endOffsets(topicName(prefix, 'unit.v1')),
    isConsumed,
    consumed: async (stages) => {
      for (const stage of stages) await until(`the ${stage} to read everything`, () => isConsumed([stage]), patienceMs);
    },
  };
}
