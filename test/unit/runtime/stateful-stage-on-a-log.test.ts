/**
 * The loop of stages that keep state, over the log in memory: what it does when it is told to stop, when a flush fails,
 * when another owner ran ahead.
 */
import { expect, test } from 'vitest';
import type { UnitRecord } from '../../../schemas/generated.ts';
import { PipelineError } from '../../../services/kernel/pipeline-error.ts';
import type { AvroCodec } from '../../../services/runtime/avro-codec.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import type { StatefulStageOptions } from '../../../services/runtime/stateful-stage-options.ts';
import { positionsPerOffset } from '../../../services/kernel/state/kinds.ts';
import { runStatefulStage } from '../../../services/runtime/stateful-stage.ts';
import { until } from '../../support/until.ts';

type Sum = { total: number };
type SumFlush = { readonly total: number; readonly position: number };

/** Bytes are numbers, the fold adds them, the store holds the highest position. 255 cannot be decoded. */
async function world(change: Partial<StatefulStageOptions<'unit-record', Sum, SumFlush>> = {}) {
  const broker = createMemoryBroker();
  const log = broker.client();
  await log.createTopics([
    { topic: 'in', partitions: 1, config: {} },
    { topic: 'parked', partitions: 1, config: {} },
  ]);
  const producer = await log.producer();
  const stored = { total: 0, position: 0, writes: 0 };
  const codec = {
    prepare: () => undefined,
    decode: (_records: readonly string[], frame: Buffer) =>
      frame[0] === 255
        ? { ok: false, code: 'UNDECODABLE', message: 'noise' }
        : { ok: true, record: 'unit-record', value: { records: [...frame] as unknown as UnitRecord[] } },
  } as Partial<AvroCodec> as AvroCodec;
  const start = () =>
    runStatefulStage<'unit-record', Sum, SumFlush>({
      name: 'sums',
      group: 'g',
      topic: 'in',
      record: 'unit-record',
      parkedTopic: 'parked',
      log,
      producer,
      codec,
      clock: { now: () => 0 },
      flushMs: 5,
      flushRecords: 1_000,
      idleMs: 0,
      onIdle: async () => {},
      load: async () => ({ state: { total: stored.total }, offset: stored.position / positionsPerOffset }),
      checkpoints: async () => new Map([[0, stored.position]]),
      fold: (state, { records }) => {
        for (const value of records as unknown as number[]) state.total += value;
        return records.length;
      },
      take: ({ total }, position) => ({ total, position }),
      write: async (flushes) => {
        stored.writes += 1;
        for (const flush of flushes) if (flush.position > stored.position) Object.assign(stored, flush);
      },
      ...change,
    });
  const send = (...values: number[]) =>
    producer.send(values.map((value) => ({ topic: 'in', partition: 0, value: Buffer.from([value]) })));
  return { broker, log, stored, start, send };
}

test('told to stop it flushes what is folded, commits, and leaves', async () => {
  const { log, stored, start, send } = await world({ flushMs: 60_000 });
  await send(1, 2, 3);
  const stage = await start();
  await until('the fold', () => stage.counts.waiting === 3);
  expect(stored.writes).toBe(0);
  await stage.close();
  expect([stored.total, stored.position, await log.committedOffsets('g', 'in')]).toEqual([
    6,
    3 * positionsPerOffset,
    [3],
  ]);
  expect(stage.counts).toMatchObject({ in: 3, forwarded: 3, waiting: 0 });
});

test('a flush that fails is tried again until it works; meanwhile the reason shows', async () => {
  let failures = 3;
  const { stored, start, send } = await world({
    write: async (flushes) => {
      failures -= 1;
      if (failures >= 0) throw new PipelineError('STORE_UNAVAILABLE', 'away', { retriable: true });
      Object.assign(stored, flushes[0]);
    },
  });
  await send(4);
  const stage = await start();
  expect((await until('the reason', () => stage.waitingFor())).what).toContain('away');
  await until('the flush', () => stored.total === 4);
  await until('the all-clear', () => stage.waitingFor() === undefined);
  await stage.close();
});

test('a tick that the log refuses ends nothing: the reason shows, the next one is sent, folding goes on', async () => {
  let now = 0;
  let refused = 0;
  const { stored, start, send } = await world({
    clock: { now: () => now },
    idleMs: 10,
    onIdle: async () => {
      refused += 1;
      if (refused === 1) throw new Error('the broker refuses it');
    },
  });
  await send(1);
  const stage = await start();
  await until('the fold', () => stored.total === 1);
  now = 20;
  expect((await until('the reason', () => stage.waitingFor())).what).toContain('the tick of in/0 was refused');
  now = 40;
  await until('the next tick', () => refused === 2);
  await until('the all-clear', () => stage.waitingFor() === undefined);
  await send(2);
  await until('what comes after', () => stored.total === 3);
  await stage.close();
});

test('what no retry mends ends the stage', async () => {
  const { start, send } = await world({ write: () => Promise.reject(new PipelineError('STORE_REFUSED', 'never')) });
  await send(1);
  const stage = await start();
  await expect(stage.failed).rejects.toMatchObject({ code: 'STORE_REFUSED' });
  await stage.close();
});

test('a store that is ahead is adopted whole, and nothing before it is folded again', async () => {
  const { stored, start, send } = await world();
  await send(1, 1);
  const stage = await start();
  await until('the flush', () => stored.position === 2 * positionsPerOffset);
  // Another owner has folded two more, as it sees them.
  Object.assign(stored, { total: 102, position: 4 * positionsPerOffset });
  await send(1);
  await until('the flush that sees it', () => stage.fastForwards() === 1);
  await send(1, 1);
  await until('the fifth', () => stored.position === 5 * positionsPerOffset);
  expect([stored.total, stage.fastForwards()]).toEqual([103, 1]);
  await stage.close();
});

test('partitions taken back: the next owner folds the unflushed again, in = forwarded + parked + waiting', async () => {
  const { broker, log, stored, start, send } = await world();
  const stage = await start();
  for (let round = 1; round <= 20; round += 1) {
    await send(round, 255);
    broker.rebalance('g');
  }
  await until('all of it', () => stored.position === 40 * positionsPerOffset);
  expect(stored.total).toBe(210);
  await stage.close();
  const { in: taken, forwarded, parked, waiting } = stage.counts;
  expect(taken).toBe(forwarded + (parked.get('UNDECODABLE') ?? 0) + waiting);
  const sources = new Set((await log.readToEnd('parked')).map(({ headers }) => headers['x-offset']));
  expect(sources.size).toBe(20);
});
