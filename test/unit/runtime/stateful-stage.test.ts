/**
 * The loop of stages that keep state, on a log and a store by hand: who is overtaken loads again, nobody waits for
 * ever, what is revoked is dropped.
 */
import { expect, test } from 'vitest';
import type { AvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { LogClient, LogProducer, LogRecord, PartitionHandler } from '../../../services/runtime/log.ts';
import { positionsPerOffset } from '../../../services/kernel/state/kinds.ts';
import type { StatefulStageOptions } from '../../../services/runtime/stateful-stage-options.ts';
import { runStatefulStage } from '../../../services/runtime/stateful-stage.ts';
import { until } from '../../support/until.ts';

type Sum = { readonly part: number; total: number };
type Row = { readonly part: number; readonly total: number; readonly ver: number };
type Options = StatefulStageOptions<'unit-record', Sum, Row>;

/** The value of a record is its number; a log of ones. */
const one = (partition: number, offset: number): LogRecord => ({
  topic: 't',
  partition,
  offset,
  timestamp: 0,
  key: null,
  value: Buffer.from([1]),
  headers: {},
});
const ones = (partition: number, from: number, to: number): LogRecord[] =>
  Array.from({ length: to - from }, (_, index) => one(partition, from + index));

async function running(change: Partial<Options> = {}) {
  const saved = new Map<number, Row>();
  const commits = new Map<number, number>();
  let handler: PartitionHandler | undefined;
  const never = new Promise<never>(() => {});
  const log = {
    consume: async (options: { handler: PartitionHandler }) => {
      handler = options.handler;
      return {
        failed: never,
        commit: async (_topic: string, partition: number, next: number) => void commits.set(partition, next),
        trouble: () => undefined,
        stats: () => ({ queuedBytes: 0, rejoins: 0 }),
        close: async () => {},
      };
    },
  } as unknown as LogClient;
  const codec = {
    prepare: () => undefined,
    decode: (_records: unknown, frame: Buffer) =>
      frame[0] === 9
        ? { ok: false, code: 'UNDECODABLE', message: '' }
        : { ok: true, record: 'unit-record', value: { records: [frame] } },
  } as unknown as AvroCodec;
  const parked: unknown[] = [];
  const stage = await runStatefulStage<'unit-record', Sum, Row>({
    name: 'sums',
    group: 'g',
    topic: 't',
    record: 'unit-record',
    parkedTopic: 'parked',
    log,
    codec,
    producer: { send: async (records: unknown[]) => void parked.push(...records) } as unknown as LogProducer,
    clock: { now: () => 0 },
    flushMs: 5,
    flushRecords: 10,
    load: async (part) => ({
      state: { part, total: saved.get(part)?.total ?? 0 },
      offset: (saved.get(part)?.ver ?? 0) / positionsPerOffset,
    }),
    checkpoints: async () => new Map([...saved].map(([part, { ver }]) => [part, ver])),
    fold: (state) => {
      state.total += 1;
      return 1;
    },
    take: ({ part, total }, position) => ({ part, total, ver: position }),
    write: async (rows) => {
      for (const row of rows) if ((saved.get(row.part)?.ver ?? -1) <= row.ver) saved.set(row.part, row);
    },
    idleMs: 0,
    onIdle: async () => {},
    ...change,
  });
  const own = handler as unknown as PartitionHandler;
  return { stage, saved, commits, parked, own };
}

test('folds, flushes, commits; what cannot be read is parked and counted', async () => {
  const { stage, saved, commits, parked, own } = await running();
  expect(await own.load('t', 0)).toBe(0);
  await own.records('t', 0, [...ones(0, 0, 3), { ...one(0, 3), value: Buffer.from([9]) }, one(0, 4)]);
  await until('the commit', () => commits.get(0) === 5);
  expect([saved.get(0), parked.length, stage.counts.in, stage.counts.forwarded, stage.counts.waiting]).toEqual([
    { part: 0, total: 4, ver: 5 * positionsPerOffset },
    1,
    5,
    4,
    0,
  ]);
  await stage.close();
});

test('an owner that finds the store ahead of itself writes nothing, loads, and skips what is behind it', async () => {
  const { stage, saved, own } = await running();
  await own.load('t', 0);
  saved.set(0, { part: 0, total: 100, ver: 100 * positionsPerOffset });
  await own.records('t', 0, ones(0, 0, 50));
  await until('the load', () => stage.fastForwards() === 1);
  await own.records('t', 0, ones(0, 50, 120));
  await until('the flush', () => saved.get(0)?.ver === 120 * positionsPerOffset);
  expect(saved.get(0)?.total).toBe(120);
  expect(stage.counts.waiting).toBe(0);
  await stage.close();
});

test('a look-up that finds a row ahead does the same, in the middle of a batch', async () => {
  let asked = 0;
  const made = await running({
    present: (_state, _values, position) => {
      asked += 1;
      return Promise.resolve(asked === 2 && position < 100 * positionsPerOffset ? 'behind' : 'present');
    },
    flushMs: 60_000,
    flushRecords: 1_000,
  });
  await made.own.load('t', 0);
  await made.own.records('t', 0, ones(0, 0, 10));
  made.saved.set(0, { part: 0, total: 100, ver: 100 * positionsPerOffset });
  await made.own.records('t', 0, ones(0, 10, 130));
  expect([...made.stage.states().values()].map(({ total }) => total)).toEqual([130]);
  expect([made.stage.fastForwards(), made.stage.counts.in]).toEqual([1, 30]);
  await made.stage.close();
});

test('several partitions that wait for one flush all go on after it', async () => {
  let open: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { stage, saved, own } = await running({
    flushRecords: 2,
    write: async (rows) => {
      await gate;
      for (const row of rows) saved.set(row.part, row);
    },
  });
  for (const part of [0, 1, 2]) await own.load('t', part);
  const big = (part: number) =>
    Array.from({ length: 4 }, (_, index) => ({ ...one(part, index), value: Buffer.alloc(1 << 20, 1) }));
  const queues = [0, 1, 2].map((part) =>
    own.records('t', part, [...big(part), ...big(part).map((record) => ({ ...record, offset: record.offset + 4 }))]),
  );
  open();
  await Promise.all(queues);
  await until('all of it', () => [0, 1, 2].every((part) => saved.get(part)?.total === 8));
  await stage.close();
});

test('what is revoked before its flush is dropped, and counted no more', async () => {
  const { stage, saved, own } = await running({ flushMs: 60_000 });
  await own.load('t', 0);
  await own.records('t', 0, ones(0, 0, 4));
  own.revoked();
  expect([stage.counts.in, stage.counts.waiting, saved.size, stage.states().size]).toEqual([0, 0, 0, 0]);
  expect(await own.load('t', 0)).toBe(0);
  await stage.close();
});
