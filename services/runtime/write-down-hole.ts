/** A hole in the log that a person has accepted is a record among the parked: `audit` shows it for good. */
import type { Clock } from '../kernel/time.ts';
import type { LogProducer } from './log.ts';
import { type Hole, messageOfHole } from './log-holes.ts';
import { parkedRecord } from './park.ts';

export const writeDownHole =
  (stage: { name: string; parkedTopic: string; producer: LogProducer; clock: Clock }) =>
  async (hole: Hole): Promise<void> => {
    const { topic, partition, from: offset } = hole;
    const now = stage.clock.now();
    const source = { topic, partition, offset, timestamp: now, key: null, value: null, headers: {} };
    const code = hole.kind === 'gap' ? 'LOG_GAP' : 'LOG_CUT';
    await stage.producer.send([parkedRecord(stage.parkedTopic, stage.name, source, code, messageOfHole(hole), now)]);
  };
