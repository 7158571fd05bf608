/** Fault 11: statistics dies between deciding and publishing, or before it hears that it has published; control records come twice. One decision, the same bytes, obeyed once. */
import { afterEach, describe, expect, test } from 'vitest';
import { topics } from '../../../schemas/generated.ts';
import { publishRevision, startBot } from '../../../services/bot/index.ts';
import type { Store } from '../../../services/runtime/clickhouse-client.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { LogClient, LogProducer } from '../../../services/runtime/kafka-log.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { startStatistics } from '../../../services/statistics/look-loop.clickhouse.ts';
import { anInference, aRevision, hour, monday } from '../../support/build.ts';
import { foldEagerly } from '../../support/fold-driver.ts';
import { createMemoryPath } from '../../support/memory-path.ts';
import type { StateRowRead } from '../../support/memory-state.ts';
import { until } from '../../support/until.ts';

const clock = { now: () => monday + 9 * hour };
const revision = aRevision();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Three hundred users, and every call of the candidate fails. */
const rows: readonly StateRowRead[] = (() => {
  const path = createMemoryPath(2);
  path.apply(revision);
  for (let user = 0; user < 300; user += 1) path.send(anInference({ user: `user-${user}`, variant: user % 2 === 0 ? 'A' : 'B', at: monday + user * 1_000, status: user % 2 === 0 ? 'success' : 'error' }));
  path.tick(monday + 3 * hour);
  return path.logs.flatMap((log, part) => [...foldEagerly(log, part).store.rows.values()]);
})();

/** Answers the look's statements from those rows; `off`: what it adds to one unit's numerator, as a broken writer would. */
const storeOf = (mismatches: readonly unknown[] = []): Store => ({
  rows: async (query: string) => {
    if (query.includes('FULL OUTER JOIN')) return mismatches;
    if (query.includes('INNER JOIN metrics') || query.includes('FROM epochs FINAL')) return [];
    return query.includes('max(ver)') ? rows.filter(({ kind }) => kind === 'checkpoint').map(({ part, ver }) => ({ part, ver })) : rows.filter(({ kind }) => ['checkpoint', 'experiment', 'report', 'entry'].includes(kind));
  },
}) as Partial<Store> as Store;

async function world() {
  const log: LogClient = createMemoryBroker().client();
  const prefix = 'decision';
  await log.createTopics(topics.map(({ suffix, partitions }) => ({ topic: `${prefix}.${suffix}`, partitions: partitions === 'P' ? 2 : partitions, config: {} })));
  const schemas: string[] = [];
  const codec = createAvroCodec({ clock, registry: { register: async (_subject: string, avsc: string) => (schemas.includes(avsc) ? schemas.indexOf(avsc) + 1 : schemas.push(avsc)), schemaById: async (id: number) => schemas[id - 1], ping: async () => {} } as Parameters<typeof createAvroCodec>[0]['registry'] });
  await codec.register(topics.flatMap(({ suffix, records }) => records.map((record) => ({ record, topic: `${prefix}.${suffix}` }))));
  const producer = await log.producer();
  await publishRevision({ prefix, log, producer, codec }, revision);
  const control = async (): Promise<Buffer[]> => (await log.readToEnd(`${prefix}.control.v1`)).flatMap(({ value }) => (value ? [value] : []));
  const statistics = async (through: LogProducer, store = storeOf()) => {
    const running = await startStatistics({ prefix, log, producer: through, codec, clock, store, lookMs: 0 });
    closers.push(running.close);
    return running;
  };
  return { prefix, log, codec, producer, control, statistics };
}

const died = new Error('killed here');
const dies = (producer: LogProducer, when: 'before' | 'after'): LogProducer => ({
  ...producer,
  send: async (records) => {
    if (!records.some(({ topic }) => topic.endsWith('control.v1'))) return producer.send(records);
    if (when === 'after') await producer.send(records);
    throw died;
  },
});

describe('statistics killed', () => {
  test.each([['between deciding and publishing', 'before', 0], ['after publishing, before it has heard of it', 'after', 1]] as const)('%s: one decision, the same bytes', async (_name, when, published) => {
    const reference = await world();
    await (await reference.statistics(reference.producer)).look();
    const [expected] = await reference.control();
    expect(expected).toBeDefined();

    const { control, statistics, producer } = await world();
    const first = await statistics(dies(producer, when));
    await expect(first.look()).rejects.toBe(died);
    expect((await control()).length).toBe(published);
    const second = await statistics(producer);
    await second.look();
    await (await statistics(producer)).look();
    const frames = await control();
    expect(frames.map((frame) => frame.equals(expected as Buffer))).toEqual([true]);
    expect(second.decisions().map(({ action, metric }) => [action, metric])).toEqual([['rollback', 'error_rate']]);
  });
});

test('a control record that comes three times is obeyed once, by a bot that is started again too', async () => {
  const { prefix, log, codec, producer, control, statistics } = await world();
  await (await statistics(producer)).look();
  const [frame] = await control();
  const again = () => producer.send([{ topic: `${prefix}.control.v1`, partition: 0, key: 'exp-test', value: frame as Buffer }]);
  await again();
  const bot = await startBot({ prefix, log, producer, codec, clock });
  closers.push(bot.close);
  await until('the ack', () => bot.acks().length > 0);
  await again();
  const other = await startBot({ prefix, log, producer, codec, clock });
  closers.push(other.close);
  await until('the other to know', () => other.experiments().get('exp-test')?.status === 'rolled_back');
  await other.close();
  await bot.close();
  expect((await log.readToEnd(`${prefix}.ack.v1`)).length).toBe(1);
});

test('an audit that does not add up blocks the decision, and says so in every reading until it does', async () => {
  const { prefix, log, codec, producer, control, statistics } = await world();
  const mismatches: unknown[] = [{ experiment: 'exp-test', phase: 1, arm: 'B', ordinal: 0, cell: ['150'], recount: ['149'] }];
  const running = await statistics(producer, storeOf(mismatches));
  await running.audit();
  expect(running.audited()).toMatchObject({ settled: true, mismatches: [{ what: 'report', key: 'exp-test/1/B/0' }] });
  await running.look();
  expect(await control()).toEqual([]);
  const readings = (await log.readToEnd(`${prefix}.reading.v1`)).map(({ value }) => codec.decode(['reading'], value ?? Buffer.alloc(0)));
  expect(readings.map((reading) => reading.ok && reading.value.state)).toEqual(['AUDIT_MISMATCH']);
  mismatches.length = 0;
  await running.audit();
  await running.look();
  expect((await control()).length).toBe(1);
});
