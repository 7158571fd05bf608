/**
 * The table as the log has it: checkpoints of the experiment topic first, then the control topic folded onto them,
 * record by record. A checkpoint that is behind what is folded changes nothing, whoever wrote it. States: loading (the
 * checkpoints that there were are on their way, control records wait) -> folding -> closed.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { EpochMs } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogClient, LogFollower, LogRecord } from '../runtime/log.ts';
import { retryUntilAborted, type Waiting } from '../runtime/retry.ts';
import { topicName } from '../runtime/topics.ts';
import { type ControlRecord, experimentOf } from './control-record.ts';
import { controlRecords, fromCheckpoint, fromControlRecord } from './decision-record.ts';
import {
  type ControlAnswer,
  type ControlTable,
  type ExperimentControl,
  foldControl,
  mergeCheckpoint,
} from './fold-control.ts';

export type FollowControl = {
  readonly prefix: string;
  readonly log: Pick<LogClient, 'follow'>;
  readonly codec: AvroCodec;
  /**
   * Every control record from the first one on is folded, whatever checkpoints say; those that were written before
   * there was a fold are where it begins. For readers that need the answers, not the table alone.
   */
  readonly whole?: boolean;
  readonly abandoned: () => boolean;
  readonly onRecord?: (record: ControlRecord, answer: ControlAnswer, offset: number, time: EpochMs) => void;
  readonly onCheckpoint?: (checkpoint: ExperimentControl) => void;
  /** A record that cannot be read is passed over: what held before it holds. */
  readonly onSkipped?: () => void;
};

export type FollowedControl = {
  table(): ControlTable;
  /** Next offset of the control topic. */
  position(): number;
  /** Resolves when what both topics held at the start is in the table. */
  readonly ready: Promise<void>;
  /** Resolves when the control topic is folded up to this offset, or nobody waits any more. */
  reached(offset: number): Promise<void>;
  /** Rejects when it hears nothing any more. */
  readonly failed: Promise<never>;
  /** Why it cannot read just now. */
  trouble(): Waiting | undefined;
  close(): Promise<void>;
};

type Starting = readonly [Promise<LogFollower>, Promise<LogFollower>];

async function closeAll(starting: Starting): Promise<void> {
  for (const one of await Promise.allSettled(starting)) if (one.status === 'fulfilled') await one.value.close();
}

const bothOf = (starting: Starting): Promise<[LogFollower, LogFollower]> =>
  Promise.all(starting).catch((error: unknown) => {
    // Whoever tries again would else leave one behind each time. Not waited for: the other may never begin.
    closeAll(starting).catch(() => {});
    throw error;
  });

export async function followControl(options: FollowControl): Promise<FollowedControl> {
  const { prefix, log, codec, whole, abandoned, onRecord, onCheckpoint, onSkipped } = options;
  let table: ControlTable = new Map();
  let position = 0;
  /** Records are taken one after another, whatever has to be fetched in between. */
  let turns: Promise<unknown> = Promise.resolve();
  const inTurn = (value: Buffer, take: () => void): void => {
    turns = turns.then(async () => {
      try {
        await retryUntilAborted(async () => codec.prepare([value]), { abandoned });
        take();
      } catch {
        onSkipped?.();
      }
    });
  };
  const takeCheckpoint = (value: Buffer): void => {
    const decoded = codec.decode(['experiment'], value);
    if (!decoded.ok) throw new RangeError(decoded.message);
    const checkpoint = fromCheckpoint(decoded.value);
    if (!whole || checkpoint.upTo === 0) table = mergeCheckpoint(table, checkpoint);
    onCheckpoint?.(checkpoint);
  };
  const takeControl = ({ value, key, offset, timestamp }: LogRecord): void => {
    position = offset + 1;
    const folded = key === null ? undefined : table.get(key.toString())?.upTo;
    if (value === null || (folded ?? 0) > offset) return;
    const decoded = codec.decode(controlRecords, value);
    if (!decoded.ok) throw new RangeError(decoded.message);
    const record = fromControlRecord(decoded);
    if ((table.get(experimentOf(record))?.upTo ?? 0) > offset) return;
    const next = foldControl(table, record, offset, timestamp);
    table = next.table;
    onRecord?.(record, next.answer, offset, timestamp);
  };

  const held: LogRecord[] = [];
  let isLoading = true;
  const control = (record: LogRecord): void => inTurn(record.value ?? Buffer.alloc(0), () => takeControl(record));
  const starting = [
    log.follow(topicName(prefix, 'experiment.v1'), ({ value }) => {
      if (value !== null) inTurn(value, () => takeCheckpoint(value));
    }),
    log.follow(topicName(prefix, 'control.v1'), (record) => {
      if (isLoading) held.push(record);
      else control(record);
    }),
  ] as const;
  const [checkpoints, records] = await bothOf(starting);
  const ready = (async (): Promise<void> => {
    await checkpoints.caughtUp;
    await turns;
    for (const record of held.splice(0)) control(record);
    isLoading = false;
    await records.caughtUp;
    await turns;
  })();
  ready.catch(() => {});
  const failed = Promise.race([checkpoints.failed, records.failed]);
  failed.catch(() => {});
  return {
    failed,
    trouble: () => checkpoints.trouble() ?? records.trouble(),
    table: () => table,
    position: () => position,
    ready,
    reached: async (offset) => {
      while (position < offset && !abandoned()) await wait(10);
      await turns;
    },
    close: async () => {
      await closeAll(starting);
      await turns;
    },
  };
}
