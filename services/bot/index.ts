/**
 * The bot: obeys decisions once and in order. A decision becomes a revision; the experiment topic gets it first, then
 * each further actuator; what each did is acknowledged. It starts from the whole experiment and ack topics, so a
 * decision that was obeyed but not acknowledged is acknowledged now.
 *
 * Of several bots one obeys: the member of the group that the control topic's one partition is given to. The others
 * stand by. States: standing by -> catching up (whoever obeyed before has said so on the ack topic: what it held when
 * this term began is known first) -> obeying -> standing by (a rebalance) ... -> closed.
 */
import type { Ack } from '../../schemas/generated.ts';
import { fromDecisionRecord } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import type { Clock } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogClient, LogProducer, LogRecord } from '../runtime/log.ts';
import { retryUntilAborted } from '../runtime/retry.ts';
import { count, createStageCounts, type RunningStage } from '../runtime/stage.ts';
import { beginWork, createLifecycle, failureOf, type StageLifecycle, type Work } from '../runtime/stage-lifecycle.ts';
import { topicName } from '../runtime/topics.ts';
import type { Actuator } from './actuator.ts';
import { followMemory } from './follow-memory.kafka.ts';
import { ackOf, type BotMemory, orderOf, rememberAck } from './obey.ts';
import { experimentTopicActuator } from './publish-revision.kafka.ts';

export type { Actuator, ActuatorResult } from './actuator.ts';
export { experimentTopicActuator, publishRevision } from './publish-revision.kafka.ts';

export type BotDeps = {
  readonly prefix: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  /** Event time: the joiner folds revisions with everything else. */
  readonly clock: Clock;
  /** What else carries decisions out, asked after the experiment topic, in this order. */
  readonly actuators?: readonly Actuator[];
  readonly onAck?: (ack: Ack, revision: ExperimentRevision) => void;
};

/** Counts: a decision comes in, an obeyed one is forwarded, any other is dropped with its reason. */
export type RunningBot = RunningStage & {
  experiments(): ReadonlyMap<string, ExperimentRevision>;
  acks(): readonly Ack[];
};

type Bot = {
  readonly deps: BotDeps;
  readonly actuators: readonly Actuator[];
  readonly memory: BotMemory;
  readonly acks: Ack[];
  readonly lifecycle: StageLifecycle;
  readonly counts: RunningStage['counts'];
  /** Next offset of the control topic. */
  position: number | undefined;
};

/**
 * In force first, then acknowledged, in one send: a crash in between repeats what may be repeated. An actuator that is
 * away is waited for without asking those before it again. 'obeyed', or why not; undefined when the work is abandoned.
 */
async function obey(
  { deps, actuators, memory, acks }: Bot,
  decision: Decision,
  work: Work,
): Promise<string | undefined> {
  const { prefix, producer, codec, clock } = deps;
  const { experimentId, seq } = decision;
  const order = orderOf(memory, decision, clock.now());
  if (order.kind === 'ignore') return order.reason;
  const made: Ack[] = [];
  for (const actuator of actuators) {
    const result = await retryUntilAborted(() => actuator.apply(order.revision, decision), work);
    if (result === undefined) return undefined;
    made.push(ackOf(order, decision, { actuator: actuator.name, result, at: clock.now() }));
  }
  // The experiment topic never refuses: whatever a further actuator said, the revision is in force.
  memory.experiments.set(experimentId, order.revision);
  const topic = topicName(prefix, 'ack.v1');
  const timestamp = clock.now();
  await producer.send(
    made.map((ack) => ({ topic, partition: 0, key: experimentId, value: codec.encode('ack', ack), timestamp })),
  );
  rememberAck(memory, experimentId, seq);
  acks.push(...made);
  for (const ack of made) deps.onAck?.(ack, order.revision);
  return 'obeyed';
}

async function takeDecision(bot: Bot, frame: Buffer | null, work: Work): Promise<void> {
  const { codec } = bot.deps;
  if (frame !== null) await codec.prepare([frame]);
  const decoded = frame === null ? undefined : codec.decode(['decision'], frame);
  // The sink parks what cannot be decoded.
  const verdict = decoded?.ok ? await obey(bot, fromDecisionRecord(decoded.value), work) : 'not-a-decision';
  if (verdict === undefined) return;
  bot.counts.in += 1;
  if (verdict === 'obeyed') bot.counts.forwarded += 1;
  else count(bot.counts.dropped, verdict);
}

/** True when all of them were taken: the partition was not taken back in between. */
async function takeDecisions(bot: Bot, records: readonly LogRecord[]): Promise<boolean> {
  const work = beginWork(bot.lifecycle);
  for (const { value, offset } of records) {
    await retryUntilAborted(() => takeDecision(bot, value, work), work);
    if (work.abandoned()) return false;
    bot.position = offset + 1;
  }
  return true;
}

export async function startBot(deps: BotDeps): Promise<RunningBot> {
  const { prefix, log, clock } = deps;
  const lifecycle = createLifecycle(clock);
  const memory: BotMemory = { experiments: new Map(), acked: new Map() };
  const bot: Bot = {
    deps,
    actuators: [experimentTopicActuator(deps), ...(deps.actuators ?? [])],
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
        return 0;
      },
      records: async (_topic, partition, records) => {
        if (await takeDecisions(bot, records)) await control.commit(topic, partition, bot.position ?? 0);
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
