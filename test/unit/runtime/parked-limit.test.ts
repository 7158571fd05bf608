import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { forward, park } from '../../../services/kernel/verdict.ts';
import type { AvroCodec } from '../../../services/runtime/avro-codec.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { createParkedLimit } from '../../../services/runtime/parked-limit.ts';
import { runStage } from '../../../services/runtime/run-stage.ts';
import { until } from '../../support/until.ts';

test.each([
  [
    'none parked',
    [
      [500, 0],
      [500, 0],
    ],
    false,
  ],
  [
    'half of them, not more',
    [
      [100, 50],
      [100, 50],
    ],
    false,
  ],
  [
    'more than half',
    [
      [100, 50],
      [100, 60],
    ],
    true,
  ],
  ['all, but too few to tell', [[99, 99]], false],
  [
    'much parked long ago',
    [
      [100, 49],
      [100, 0],
      [100, 0],
      [100, 49],
    ],
    false,
  ],
  [
    'nothing bad in this batch',
    [
      [60, 60],
      [60, 0],
    ],
    false,
  ],
])('the share of the last 100: %s', (_name, batches, stops) => {
  const limit = createParkedLimit({ share: 0.5, over: 100 });
  const said = batches.map(([records = 0, parked = 0]) =>
    limit.admit(
      records,
      Array.from({ length: parked }, () => 'UNDECODABLE'),
    ),
  );
  expect(said.at(-1) !== undefined).toBe(stops);
  if (stops)
    expect(said.at(-1)).toMatch(/parked share too high: 110 of the last 200 records, most of them UNDECODABLE/);
});

test('a stage past the limit says why, parks and commits no more, and closes; restarted it goes on', async () => {
  const log = createMemoryBroker().client();
  await log.createTopics([
    { topic: 'in', partitions: 1, config: {} },
    { topic: 'parked', partitions: 1, config: {} },
  ]);
  const producer = await log.producer();
  const send = (value: string, count: number) =>
    producer.send(Array.from({ length: count }, () => ({ topic: 'in', partition: 0, value: Buffer.from(value) })));
  const start = () =>
    runStage<never, string>({
      name: 'stage',
      group: 'g',
      topics: ['in'],
      records: [],
      parkedTopic: 'parked',
      log,
      producer,
      codec: {} as AvroCodec,
      clock: { now: () => 0 },
      lingerMs: 0,
      parkedLimit: { share: 0.5, over: 10 },
      step: () => forward(''),
      raw: (source) => (source.value?.toString() === 'bad' ? park('UNDECODABLE', 'noise') : forward('good')),
      deliver: async () => {},
    });
  await send('good', 12);
  const stage = await start();
  await until('the good ones', () => stage.counts.forwarded === 12);
  await send('bad', 40);
  await until('the reason', () => stage.waitingFor());
  await wait(0);
  expect(stage.waitingFor()?.what).toMatch(
    /^parked share too high: 40 of the last 52 records, most of them UNDECODABLE; .*parked list/,
  );
  expect([await log.committedOffsets('g', 'in'), await log.endOffsets('parked')]).toEqual([[12], [0]]);
  await stage.close();
  const again = await start();
  await until('the batch that stopped it, parked', async () => (await log.endOffsets('parked'))[0] === 40);
  await send('good', 200);
  await until('all that comes after', () => again.counts.forwarded === 200);
  expect([again.counts.in, again.counts.parked.get('UNDECODABLE')]).toEqual([240, 40]);
  await send('bad', 400);
  await until('it is judged again', () => again.waitingFor()?.forPerson);
  await again.close();
});
