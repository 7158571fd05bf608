/**
 * The bot: obeys decisions once and in order. Its actuator is the experiment topic: a decision becomes a revision, the
 * revision is acknowledged. It starts from the whole control and ack topics, so a decision that was obeyed but not
 * acknowledged is acknowledged now. Of several bots one obeys: the member of the group that the control topic's one
 * partition is given to. The others stand by.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Ack } from '../../schemas/generated.ts';
import { applyDecision, fromDecisionRecord, fromExperimentRecord } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import type { Clock } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import { count, createStageCounts, type RunningStage } from '../runtime/stage.ts';
import type { LogClient, LogProducer } from '../runtime/log.ts';
import { topicName } from '../runtime/topics.ts';
import { retryUntilAborted } from '../runtime/retry.ts';
import { publishRevision } from './publish-revision.kafka.ts';

export { publishRevision } from './publish-revision.kafka.ts';

export type BotDeps = {
  readonly prefix: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  /** The clock that traffic carries: a revision's time is on the log that is folded. */
  readonly clock: Clock;
  readonly onAck?: (ack: Ack, revision: ExperimentRevision) => void;
};

/** Counts: a decision comes in, an obeyed one is forwarded, any other is dropped with its reason. */
export type RunningBot = RunningStage & {
  experiments(): ReadonlyMap<string, ExperimentRevision>;
  acks(): readonly Ack[];
};

export async function startBot(deps: BotDeps): Promise<RunningBot> {
  const { prefix, log, producer, codec, clock } = deps;
  const experiments = new Map<string, ExperimentRevision>();
  const acked = new Map<string, number>();
  const acks: Ack[] = [];
  const counts = createStageCounts();
  let closing = false;
  let waiting: { what: string; since: number } | undefined;
  let position: number | undefined;
  const retry = {
    abandoned: () => closing,
    onWaiting: (error: Error | undefined): void => {
      waiting = error ? { what: error.message, since: waiting?.since ?? clock.now() } : undefined;
    },
  };
  let fail: (error: unknown) => void = () => {};
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  let turn: Promise<unknown> = Promise.resolve();
  /** Records are taken one after another, whatever has to be fetched or published in between. */
  const inTurn = (run: () => Promise<void>): void => {
    turn = turn.then(() => retryUntilAborted(run, retry)).catch(fail);
  };
  /** Next offset of each followed topic, whose predecessors have been taken. */
  const heard = new Map<string, number>();
  const followed = async (topic: string, take: (frame: Buffer) => Promise<void>) =>
    log.follow(topic, (record) => {
      const { value, offset } = record;
      inTurn(async () => {
        if (value !== null) {
          await codec.prepare([value]);
          await take(value);
        }
        heard.set(topic, Math.max(heard.get(topic) ?? 0, offset + 1));
      });
    });
  const [experimentTopic, ackTopic, controlTopic] = [
    topicName(prefix, 'experiment.v1'),
    topicName(prefix, 'ack.v1'),
    topicName(prefix, 'control.v1'),
  ];
  const followedExperiments = await followed(experimentTopic, async (frame) => {
    const decoded = codec.decode(['experiment'], frame);
    if (!decoded.ok) return;
    const revision = fromExperimentRecord(decoded.value);
    if ((experiments.get(revision.spec.id)?.revision ?? 0) < revision.revision)
      experiments.set(revision.spec.id, revision);
  });
  const followedAcks = await followed(ackTopic, async (frame) => {
    const decoded = codec.decode(['ack'], frame);
    if (!decoded.ok) return;
    const { experiment_id: id, seq } = decoded.value;
    acked.set(id, Math.max(acked.get(id) ?? 0, seq));
  });
  await Promise.all([followedExperiments.caughtUp, followedAcks.caughtUp]);
  await turn;

  /** 'obeyed', or why there was nothing to obey. */
  const obey = async (decision: Decision): Promise<string> => {
    // Once per experiment and seq, never backwards.
    if (decision.seq <= (acked.get(decision.experimentId) ?? 0)) return 'acknowledged-before';
    const current = experiments.get(decision.experimentId);
    if (current === undefined) return 'no-such-experiment';
    if (current.phase !== decision.phase) return 'another-phase';
    const next = applyDecision(current, decision, clock.now());
    const revision = next ?? current;
    await publishRevision({ prefix, log, producer, codec }, revision);
    experiments.set(decision.experimentId, revision);
    const ack: Ack = {
      decision_id: decision.decisionId,
      experiment_id: decision.experimentId,
      phase: decision.phase,
      seq: decision.seq,
      actuator: 'experiment-topic',
      previous_coverage: current.coverage,
      new_coverage: revision.coverage,
      revision: revision.revision,
      applied_at: clock.now(),
      result: next ? 'applied' : 'already_applied',
      trace_id: decision.traceId,
    };
    await producer.send([
      {
        topic: ackTopic,
        partition: 0,
        key: decision.experimentId,
        value: codec.encode('ack', ack),
        timestamp: clock.now(),
      },
    ]);
    acked.set(decision.experimentId, decision.seq);
    acks.push(ack);
    deps.onAck?.(ack, revision);
    return 'obeyed';
  };
  const takeDecision = async (frame: Buffer | null): Promise<void> => {
    if (frame !== null) await codec.prepare([frame]);
    const decoded = frame === null ? undefined : codec.decode(['decision'], frame);
    // The sink parks what cannot be decoded.
    const verdict = decoded?.ok ? await obey(fromDecisionRecord(decoded.value)) : 'not-a-decision';
    counts.in += 1;
    if (verdict === 'obeyed') counts.forwarded += 1;
    else count(counts.dropped, verdict);
  };
  let term = 0;
  const control = await log.consume({
    group: `${prefix}-bot`,
    topics: [controlTopic],
    handler: {
      // Whoever obeyed before has said so on the ack topic: what it held when this term began is known first.
      load: async () => {
        await retryUntilAborted(async () => {
          for (const topic of [experimentTopic, ackTopic]) {
            const [end = 0] = await log.endOffsets(topic);
            while ((heard.get(topic) ?? 0) < end && !closing) await wait(10);
          }
        }, retry);
        return 0;
      },
      records: async (_topic, partition, records) => {
        const mine = term;
        for (const { value, offset } of records) {
          await retryUntilAborted(async () => (mine === term ? takeDecision(value) : undefined), {
            ...retry,
            abandoned: () => closing || mine !== term,
          });
          if (closing || mine !== term) return;
          position = offset + 1;
        }
        await control.commit(controlTopic, partition, position ?? 0);
      },
      revoked: () => {
        term += 1;
      },
    },
  });
  const failed = Promise.race([broken, control.failed]);
  failed.catch(() => {});
  return {
    name: 'bot',
    counts,
    experiments: () => experiments,
    acks: () => acks,
    owned: () => control.assigned(),
    position: () => position,
    waitingFor: () => waiting,
    failed,
    close: async () => {
      closing = true;
      await Promise.all([control.close(), followedExperiments.close(), followedAcks.close()]);
      await turn;
    },
  };
}
