/**
 * Fault 11 as trials: statistics dies again and again between deciding and publishing, or before it hears that it has
 * published; control records come more than once; the bot is started again. One decision, the same bytes as without any
 * of it, obeyed once.
 */
import { topics } from '../../../schemas/generated.ts';
import { publishRevision, startBot } from '../../../services/bot/index.ts';
import { createRandom } from '../../../services/demo/story.ts';
import type { Store } from '../../../services/runtime/clickhouse-client.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import type { LogClient, LogProducer } from '../../../services/runtime/log.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { startStatistics, type StatisticsDeps } from '../../../services/statistics/look-loop.clickhouse.ts';
import { anInference, aRevision, hour, monday } from '../../support/build.ts';
import { foldEagerly } from '../../support/joiner-driver.ts';
import { createMemoryPath } from '../../support/memory-path.ts';
import type { StateRowRead } from '../../support/memory-state.ts';
import { until } from '../../support/until.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';

const stopped = { now: () => monday + 9 * hour };
const revision = aRevision();

/** The state of so many users, each with one call; the share of the candidate's calls that fail. */
export function decisionRows(users: number, failing = 1): readonly StateRowRead[] {
  const path = createMemoryPath(2);
  path.apply(revision);
  for (let user = 0; user < users; user += 1)
    path.send(
      anInference({
        event_id: `d-${user}`,
        user: `user-${user}`,
        variant: user % 2 === 0 ? 'A' : 'B',
        at: monday + user * 1_000,
        status: user % 2 === 1 && (user * 7) % 100 < failing * 100 ? 'error' : 'success',
      }),
    );
  path.tick(monday + 3 * hour);
  return path.logs.flatMap((log, partitionId) => [...foldEagerly(log, partitionId).store.rows.values()]);
}

/** Answers the look's statements from those rows; `mismatches`: what an audit finds. */
export const decisionStore = (rows: readonly StateRowRead[], mismatches: readonly unknown[] = []): Store =>
  ({
    rows: async (query: string) => {
      if (query.includes('sibling_group')) return [{ experiment: 'exp-test', phase: 1, first: 0, last: 0 }];
      if (query.includes('FULL OUTER JOIN')) return mismatches;
      if (query.includes('INNER JOIN metrics') || query.includes('FROM generations FINAL')) return [];
      return query.includes('max(state.position)')
        ? rows
            .filter(({ kind }) => kind === 'checkpoint')
            .map(({ partitionId, position }) => ({ partitionId, position }))
        : rows.filter(({ kind }) => ['checkpoint', 'experiment', 'metric_aggregate', 'test_aggregate'].includes(kind));
    },
  }) as Partial<Store> as Store;

export async function createDecisionScenario(rows: readonly StateRowRead[], clock = stopped) {
  const closers: (() => Promise<void>)[] = [];
  const log: LogClient = createMemoryBroker().client();
  const prefix = 'decision';
  await log.createTopics(
    topics.map(({ suffix, partitions }) => ({
      topic: `${prefix}.${suffix}`,
      partitions: partitions === 'P' ? 2 : partitions,
      config: {},
    })),
  );
  const codec = createAvroCodec({ clock, registry: createMemoryRegistry() });
  await codec.register(
    topics.flatMap(({ suffix, records }) => records.map((record) => ({ record, topic: `${prefix}.${suffix}` }))),
  );
  const producer = await log.producer();
  await publishRevision({ prefix, log, producer, codec }, revision);
  const control = async (): Promise<Buffer[]> =>
    (await log.readToEnd(`${prefix}.control.v1`)).flatMap(({ value }) => (value ? [value] : []));
  const statistics = async (
    through: LogProducer,
    store = decisionStore(rows),
    change: Partial<Pick<StatisticsDeps, 'lookMs' | 'auditMs' | 'clock'>> = {},
  ) => {
    const deps = { prefix, log, producer: through, codec, clock, store, lookMs: 0, ...change };
    const running = await startStatistics(deps);
    closers.push(running.close);
    return running;
  };
  const bot = async () => {
    const running = await startBot({ prefix, log, producer, codec, clock });
    closers.push(running.close);
    return running;
  };
  return {
    prefix,
    log,
    codec,
    producer,
    acks: async () =>
      (await log.readToEnd(`${prefix}.ack.v1`)).flatMap(({ value }) => {
        const decoded = codec.decode(['ack'], value ?? Buffer.alloc(0));
        return decoded.ok ? [decoded.value] : [];
      }),
    control,
    statistics,
    bot,
    /** The same control record once more. */
    again: (frame: Buffer) =>
      producer.send([{ topic: `${prefix}.control.v1`, partition: 0, key: 'exp-test', value: frame }]),
    close: async () => {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}

export const died = new Error('killed here');
export const dies = (producer: LogProducer, when: 'before' | 'after'): LogProducer => ({
  ...producer,
  send: async (records) => {
    if (!records.some(({ topic }) => topic.endsWith('control.v1'))) return producer.send(records);
    if (when === 'after') await producer.send(records);
    throw died;
  },
});

export type DecisionVerdict = {
  readonly wrong: readonly string[];
  readonly faults: { killed: number; published: number; again: number; bots: number };
};

export async function runDecisionTrial(seed: number): Promise<DecisionVerdict> {
  const random = createRandom(seed ^ 0xdec1);
  const rows = decisionRows(160 + Math.floor(random() * 160), 0.5 + random() / 2);
  const wrong: string[] = [];
  const faults = { killed: 0, published: 0, again: 0, bots: 0 };
  const undisturbed = await createDecisionScenario(rows);
  await (await undisturbed.statistics(undisturbed.producer)).look();
  const [expected] = await undisturbed.control();
  await undisturbed.close();
  if (expected === undefined) return { wrong: ['nothing was decided: the trial means nothing'], faults };

  const scenario = await createDecisionScenario(rows);
  try {
    let out = false;
    for (let left = 1 + Math.floor(random() * 4); left > 0 && !out; left -= 1) {
      const when = random() < 0.7 ? 'before' : 'after';
      const doomed = await scenario.statistics(dies(scenario.producer, when));
      const error = await doomed.look().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error !== died) wrong.push('it did not die where it should');
      faults.killed += 1;
      out = when === 'after';
    }
    faults.published += out ? 1 : 0;
    for (let looks = 1 + Math.floor(random() * 3); looks > 0; looks -= 1)
      await (await scenario.statistics(scenario.producer)).look();
    const frames = await scenario.control();
    if (frames.length !== 1 || !frames[0]?.equals(expected))
      wrong.push(
        `${frames.length} control records, of them the bytes expected: ` +
          String(frames.filter((frame) => frame.equals(expected)).length),
      );
    for (let bots = 1 + Math.floor(random() * 3); bots > 0; bots -= 1) {
      for (let times = Math.floor(random() * 3); times > 0; times -= 1) {
        await scenario.again(expected);
        faults.again += 1;
      }
      const bot = await scenario.bot();
      faults.bots += 1;
      await until('the bot to obey', () => bot.experiments().get('exp-test')?.status === 'rolled_back');
      await until('every answer', async () => (await scenario.acks()).length === 1 + faults.again);
      await bot.close();
    }
    const acks = await scenario.acks();
    const obeyed = acks.filter(({ result }) => result === 'applied').length;
    if (obeyed !== 1) wrong.push(`obeyed ${obeyed} times`);
    if (acks.length !== 1 + faults.again) wrong.push(`${acks.length} answers to ${1 + faults.again} records`);
  } catch (error) {
    wrong.push(`threw: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await scenario.close();
  }
  return { wrong, faults };
}
