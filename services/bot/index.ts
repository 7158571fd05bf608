/**
 * The bot: obeys decisions once and in order. Its actuator is the experiment topic: a decision becomes a revision, the
 * revision is acknowledged. It starts from the whole control and ack topics, so a decision that was obeyed but not
 * acknowledged is acknowledged now.
 */
import type { Ack } from '../../schemas/generated.ts';
import { applyDecision, fromDecisionRecord, fromExperimentRecord } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import type { Clock } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogClient, LogProducer, LogRecord } from '../runtime/log.ts';
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

export type RunningBot = {
  experiments(): ReadonlyMap<string, ExperimentRevision>;
  acks(): readonly Ack[];
  readonly failed: Promise<never>;
  close(): Promise<void>;
};

export async function startBot(deps: BotDeps): Promise<RunningBot> {
  const { prefix, log, producer, codec, clock } = deps;
  const experiments = new Map<string, ExperimentRevision>();
  const acked = new Map<string, number>();
  const acks: Ack[] = [];
  let closing = false;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  let turn: Promise<unknown> = Promise.resolve();
  /** Records are taken one after another, whatever has to be fetched or published in between. */
  const inTurn = (run: () => Promise<void>): void => {
    turn = turn.then(() => retryUntilAborted(run, { abandoned: () => closing })).catch(fail);
  };
  const each = (take: (frame: Buffer) => Promise<void>) => (record: LogRecord) => {
    const { value } = record;
    if (value === null) return;
    inTurn(async () => {
      await codec.prepare([value]);
      await take(value);
    });
  };

  const followedExperiments = await log.follow(
    topicName(prefix, 'experiment.v1'),
    each(async (frame) => {
      const decoded = codec.decode(['experiment'], frame);
      if (!decoded.ok) return;
      const revision = fromExperimentRecord(decoded.value);
      if ((experiments.get(revision.spec.id)?.revision ?? 0) < revision.revision)
        experiments.set(revision.spec.id, revision);
    }),
  );
  const followedAcks = await log.follow(
    topicName(prefix, 'ack.v1'),
    each(async (frame) => {
      const decoded = codec.decode(['ack'], frame);
      if (decoded.ok)
        acked.set(
          decoded.value.experiment_id,
          Math.max(acked.get(decoded.value.experiment_id) ?? 0, decoded.value.seq),
        );
    }),
  );
  await Promise.all([followedExperiments.caughtUp, followedAcks.caughtUp]);
  await turn;

  const obey = async (decision: Decision): Promise<void> => {
    // Once per experiment and seq, never backwards.
    if (decision.seq <= (acked.get(decision.experimentId) ?? 0)) return;
    const current = experiments.get(decision.experimentId);
    if (current === undefined || current.phase !== decision.phase) return;
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
        topic: topicName(prefix, 'ack.v1'),
        partition: 0,
        key: decision.experimentId,
        value: codec.encode('ack', ack),
        timestamp: clock.now(),
      },
    ]);
    acked.set(decision.experimentId, decision.seq);
    acks.push(ack);
    deps.onAck?.(ack, revision);
  };
  const control = await log.follow(
    topicName(prefix, 'control.v1'),
    each(async (frame) => {
      const decoded = codec.decode(['decision'], frame);
      if (decoded.ok) await obey(fromDecisionRecord(decoded.value));
    }),
  );
  return {
    experiments: () => experiments,
    acks: () => acks,
    failed,
    close: async () => {
      closing = true;
      await Promise.all([control.close(), followedExperiments.close(), followedAcks.close()]);
      await turn;
    },
  };
}
