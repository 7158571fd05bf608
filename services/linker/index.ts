/** The linker as a running stage: the entity log in, forwarded outcomes on the unit log out, links in table `state`. */
import type { Clock } from '../kernel/time.ts';
import { positionsPerOffset, stateColumns } from '../kernel/state/kinds.ts';
import type { LinkRowText } from '../kernel/state/read.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import { batchUnits } from '../runtime/batches.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { LogClient, LogProducer } from '../runtime/log.ts';
import type { ParkedLimitOptions } from '../runtime/parked-limit.ts';
import { runStatefulStage } from '../runtime/stateful-stage.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import type { RunningStage } from '../runtime/stage.ts';
import { newestUnitTopic, topicName } from '../runtime/topics.ts';
import { type LinkerState, type LinkerLimits, linkRecord, unlinkedByKind } from './link.ts';
import { type LinkFlush, restoreLinks, takeLinkRows } from './link-rows.ts';

export type LinkerDeps = {
  readonly prefix: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  readonly clock: Clock;
  readonly parkedLimit?: ParkedLimitOptions;
  readonly store: Store;
  readonly flushMs: number;
  readonly flushRecords: number;
  readonly limits?: LinkerLimits;
};

export async function startLinker({
  prefix,
  log,
  producer,
  codec,
  clock,
  store,
  flushMs,
  flushRecords,
  limits,
  parkedLimit,
}: LinkerDeps): Promise<RunningStage & { unlinked(): Map<string, number>; forwarded(): number }> {
  const { topic: unitTopic, partitions } = await newestUnitTopic(log, prefix);
  /** Flushes whose forwards are in the log. */
  const sent = new WeakSet<LinkFlush>();
  const running = await runStatefulStage<'entity-record', LinkerState, LinkFlush>({
    name: 'linker',
    group: `${prefix}-linker`,
    topic: topicName(prefix, 'entity.v1'),
    record: 'entity-record',
    parkedTopic: topicName(prefix, 'parked.v1'),
    log,
    producer,
    codec,
    clock,
    ...(parkedLimit && { parkedLimit }),
    flushMs,
    flushRecords,
    idleMs: 0,
    onIdle: async () => {},
    checkpoints: async () =>
      new Map(
        (await store.rows<{ partitionId: number; position: string }>(await sqlQuery('load-link-checkpoints'))).map(
          ({ partitionId, position }) => [partitionId, Number(position)],
        ),
      ),
    load: async (partitionId) => {
      const state = restoreLinks(
        partitionId,
        await store.rows<LinkRowText>(await sqlQuery('load-links'), { partitionId }),
        limits,
      );
      return { state, offset: Math.floor(state.position / positionsPerOffset) };
    },
    fold: (state, { records }, offset) => {
      for (const [index, record] of records.entries()) linkRecord(state, record, offset * positionsPerOffset + index);
      return records.length;
    },
    take: takeLinkRows,
    write: async (flushes) => {
      // Forward first, remember afterwards: a crash in between forwards again, with the same cause position, and the
      // joiner drops the repeat. A store that is away is no crash: the unit log is kept for ever, and an insert that is
      // tried again sends nothing twice.
      const unsent = flushes.filter((flush) => !sent.has(flush));
      await producer.send(
        unsent.flatMap(({ outgoing, clock: timestamp }) =>
          batchUnits({ topic: unitTopic, partitions, codec, timestamp }, outgoing),
        ),
      );
      for (const flush of unsent) sent.add(flush);
      await store.insertBinary(
        'state',
        stateColumns,
        flushes.map(({ rows }) => rows),
      );
    },
  });
  return {
    ...running,
    unlinked: () => {
      const unlinked = new Map<string, number>();
      for (const state of running.states().values())
        for (const [kind, number] of unlinkedByKind(state)) unlinked.set(kind, (unlinked.get(kind) ?? 0) + number);
      return unlinked;
    },
    forwarded: () => [...running.states().values()].reduce((sum, state) => sum + state.counts.forwarded, 0),
  };
}
