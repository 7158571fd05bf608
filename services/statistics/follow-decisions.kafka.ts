/** What the log says of decisions: the fold of the control topic, and who has answered. */
import type { ControlTable, ControlView } from '../control/index.ts';
import { followControl } from '../control/follow-control.kafka.ts';
import type { Clock } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogClient } from '../runtime/log.ts';
import type { Waiting } from '../runtime/retry.ts';
import { topicName } from '../runtime/topics.ts';
import { createDecisionLog, type DecisionLog } from './decision-log.ts';

export type DecisionHistory = Pick<DecisionLog, 'decisions' | 'applied' | 'said'> & {
  table(): ControlTable;
  viewOf(experimentId: string): ControlView;
  /** Resolves when everything is known that the control topic holds now, or nobody waits. */
  catchUp(): Promise<void>;
  /** Rejects when it hears nothing any more. */
  readonly failed: Promise<never>;
  /** Why it cannot read just now. */
  trouble(): Waiting | undefined;
  close(): Promise<void>;
};

type Deps = {
  readonly prefix: string;
  readonly log: LogClient;
  readonly codec: AvroCodec;
  readonly clock: Clock;
  readonly abandoned: () => boolean;
};

/** What was decided and not answered in time: whoever looks at the status hears of it. */
export function notObeyed({ said }: DecisionHistory, clock: Clock): Waiting | undefined {
  const [oldest] = said.alerts(clock.now());
  if (oldest === undefined) return undefined;
  const { decision, since } = oldest;
  const { action, experimentId, decisionId } = decision;
  return { what: `NOT_OBEYED: ${action} of ${experimentId} (${decisionId}): no bot has answered`, since };
}

/** Resolves when it has read what was there. */
export async function followDecisions({ prefix, log, codec, clock, abandoned }: Deps): Promise<DecisionHistory> {
  const { decisions, applied, said, take } = createDecisionLog();
  let turns: Promise<unknown> = Promise.resolve();
  const acks = await log.follow(topicName(prefix, 'ack.v1'), ({ value }) => {
    if (value === null) return;
    turns = turns.then(async () => {
      await codec.prepare([value]);
      const decoded = codec.decode(['ack'], value);
      if (decoded.ok) said.answered(decoded.value.decision_id);
    });
    turns.catch(() => {});
  });
  await acks.caughtUp;
  await turns;
  const control = await followControl({
    prefix,
    log,
    codec,
    whole: true,
    abandoned,
    onRecord: (record, answer) => take(record, answer, clock.now()),
  });
  await control.ready;
  const failed = Promise.race([control.failed, acks.failed]);
  failed.catch(() => {});
  return {
    failed,
    trouble: () => control.trouble() ?? acks.trouble(),
    decisions,
    applied,
    said,
    table: control.table,
    viewOf: (experimentId) => ({
      revision: control.table().get(experimentId)?.revision,
      offset: control.position(),
    }),
    catchUp: async () => {
      const [end = 0] = await log.endOffsets(topicName(prefix, 'control.v1'));
      await control.reached(end);
    },
    close: async () => {
      await Promise.all([control.close(), acks.close()]);
    },
  };
}
