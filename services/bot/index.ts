/**
 * The bot: puts in force what the control topic says. Every record is folded, in order; what it changes goes to the
 * unit log and the experiment topic, then to each further actuator; each record is answered on the ack topic, once for
 * each actuator. It folds from the first record on at each start, and repeats nothing that is acknowledged.
 *
 * Of several bots one obeys: the member of the group that the control topic's one partition is given to. One that is
 * cut off may obey next to it for a while: both write the same, so that is no harm. States: standing by -> catching up
 * (what was acknowledged until now is known) -> obeying -> standing by (a rebalance) ... -> closed.
 */
import type { Ack } from '../../schemas/generated.ts';
import { controlRecords, fromControlRecord } from '../control/index.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import type { Clock } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogClient, LogProducer, LogRecord } from '../runtime/log.ts';
import { retryUntilAborted } from '../runtime/retry.ts';
import { count, createStageCounts, type RunningStage } from '../runtime/stage.ts';
import { beginWork, createLifecycle, failureOf, type StageLifecycle, type Work } from '../runtime/stage-lifecycle.ts';
import { topicName } from '../runtime/topics.ts';
import type { Actuator, ActuatorResult } from './actuator.ts';
import { followMemory } from './follow-memory.kafka.ts';
import {
  ackOf,
  type BotMemory,
  createMemory,
  isAcked,
  orderOf,
  type Plan,
  planOf,
  rememberAck,
  rememberPlan,
} from './obey.ts';
import { publishRevision } from './publish-revision.kafka.ts';

export type { Actuator, ActuatorResult, Order } from './actuator.ts';
export { publishRevision } from './publish-revision.kafka.ts';

export type BotDeps = {
  readonly prefix: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  /** For `applied_at` of acks alone: everything else has the times of the control topic. */
  readonly clock: Clock;
  /** What else carries control records out, asked after the experiment topic, in this order. */
  readonly actuators?: readonly Actuator[];
  readonly onAck?: (ack: Ack) => void;
};

/** Counts: a record comes in, an applied one is forwarded, any other is dropped with its answer. */
export type RunningBot = RunningStage & {
  experiments(): ReadonlyMap<string, ExperimentRevision>;
  acks(): readonly Ack[];
};

type Bot = {
  readonly deps: BotDeps;
  readonly memory: BotMemory;
  readonly acks: Ack[];
  readonly lifecycle: StageLifecycle;
  readonly counts: RunningStage['counts'];
  /** Next offset of the control topic. */
  position: number | undefined;
};

/** The built-in actuator: what the unit log counts by, and the fold's checkpoint. Its ack is the record's answer. */
const builtIn = 'experiment-topic';

async function acknowledge({ deps, memory, acks }: Bot, ack: Ack, number: number): Promise<void> {
  const { prefix, producer, codec, clock } = deps;
  const value = codec.encode('ack', ack);
  const topic = topicName(prefix, 'ack.v1');
  await producer.send([{ topic, partition: 0, key: ack.experiment_id, value, timestamp: clock.now() }]);
  rememberAck(memory, number, ack.actuator);
  acks.push(ack);
  deps.onAck?.(ack);
}

/**
 * In force first, then acknowledged, actuator by actuator: a crash in between repeats what may be repeated. An actuator
 * that is away is waited for without asking those before it again. False: the work is abandoned.
 */
async function putInForce(bot: Bot, plan: Plan, work: Work): Promise<boolean> {
  const { memory, deps } = bot;
  const { number, changed, known } = plan;
  const order = orderOf(plan.record, number);
  const publish: Actuator = {
    name: builtIn,
    apply: async (revision) => {
      await publishRevision(deps, revision, known);
      return { kind: 'in-force' };
    },
  };
  for (const actuator of changed === undefined ? [publish] : [publish, ...(deps.actuators ?? [])]) {
    if (isAcked(memory, number, actuator.name)) continue;
    const result: ActuatorResult | undefined =
      changed === undefined
        ? { kind: 'in-force' }
        : await retryUntilAborted(() => actuator.apply(changed, order), work);
    if (result === undefined) return false;
    const ack = ackOf(plan, { actuator: actuator.name, result, at: deps.clock.now() });
    await retryUntilAborted(() => acknowledge(bot, ack, number), work);
    if (work.abandoned()) return false;
  }
  return true;
}

async function obey(
  bot: Bot,
  frame: Buffer,
  { offset, timestamp }: LogRecord,
  work: Work,
): Promise<string | undefined> {
  const decoded = bot.deps.codec.decode(controlRecords, frame);
  // The sink parks what cannot be decoded.
  if (!decoded.ok) return 'not-a-control-record';
  const plan = planOf(bot.memory, fromControlRecord(decoded), offset, timestamp);
  if (!(await putInForce(bot, plan, work))) return undefined;
  rememberPlan(bot.memory, plan);
  const { result, code } = plan.answer;
  return result === 'applied' ? 'applied' : code;
}

async function takeRecord(bot: Bot, record: LogRecord, work: Work): Promise<void> {
  const { value } = record;
  if (value !== null) await bot.deps.codec.prepare([value]);
  const verdict = value === null ? 'not-a-control-record' : await obey(bot, value, record, work);
  if (verdict === undefined) return;
  bot.counts.in += 1;
  if (verdict === 'applied') bot.counts.forwarded += 1;
  else count(bot.counts.dropped, verdict);
}

/** True when all of them were taken: the partition was not taken back in between. */
async function takeRecords(bot: Bot, records: readonly LogRecord[]): Promise<boolean> {
  const work = beginWork(bot.lifecycle);
  for (const record of records) {
    await retryUntilAborted(() => takeRecord(bot, record, work), work);
    if (work.abandoned()) return false;
    bot.position = record.offset + 1;
  }
  return true;
}

export async function startBot(deps: BotDeps): Promise<RunningBot> {
  const { prefix, log, clock } = deps;
  const lifecycle = createLifecycle(clock);
  const memory = createMemory();
  const bot: Bot = {
    deps,
    memory,
    acks: [],
    lifecycle,
    counts: createStageCounts(),
    position: undefined,
  };
  const followed = await followMemory(deps, memory, lifecycle);
  const topic = topicName(prefix, 'control.v1');
  const control = await log.consume({
    group: `${prefix}-bot`,
    topics: [topic],
    handler: {
      load: async () => {
        await followed.upToDate();
        memory.table = memory.beginning;
        return 0;
      },
      records: async (_topic, partition, records) => {
        if (await takeRecords(bot, records)) await control.commit(topic, partition, bot.position ?? 0);
      },
      revoked: () => {
        lifecycle.rebalance += 1;
      },
    },
  });
  return {
    name: 'bot',
    counts: bot.counts,
    experiments: () => memory.experiments,
    acks: () => bot.acks,
    owned: () => control.assigned(),
    position: () => bot.position,
    waitingFor: () => lifecycle.waiting ?? control.trouble() ?? followed.trouble(),
    failed: failureOf(lifecycle, control.failed),
    close: async () => {
      lifecycle.phase = 'closed';
      await Promise.all([control.close(), followed.close()]);
    },
  };
}
