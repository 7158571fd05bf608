/** Decisions on the control topic: those that are there, and how one is published. */
import { setTimeout as wait } from 'node:timers/promises';
import { fromDecisionRecord, toDecisionRecord } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { LogClient, OutgoingRecord } from '../runtime/log.ts';
import type { Waiting } from '../runtime/retry.ts';
import { topicName } from '../runtime/topics.ts';

/** The record, and its twin in JSON for readers without Avro. */
export function decisionMessages(
  { prefix, codec }: { readonly prefix: string; readonly codec: AvroCodec },
  decision: Decision,
  timestamp: EpochMs,
): readonly OutgoingRecord[] {
  const record = toDecisionRecord(decision);
  const key = decision.experimentId;
  const headers = {
    'content-type': 'application/avro',
    'tripline-schema': 'decision',
    traceparent: `00-${decision.traceId}-${decision.decisionId.slice(0, 16)}-00`,
  };
  const to = { partition: 0, key, timestamp };
  return [
    { ...to, topic: topicName(prefix, 'control.v1'), value: codec.encode('decision', record), headers },
    {
      ...to,
      topic: topicName(prefix, 'control.json.v1'),
      value: Buffer.from(JSON.stringify(record)),
      headers: { ...headers, 'content-type': 'application/json' },
    },
  ];
}

export type DecisionHistory = {
  /** Each once, in the order in which they were read. */
  readonly decisions: readonly Decision[];
  /** One that was just published: it need not come round first. */
  remember(decision: Decision): void;
  /** Resolves when everything is known that the control topic holds now, or `abandoned` says that nobody waits. */
  catchUp(abandoned: () => boolean): Promise<void>;
  /** Rejects when it hears nothing any more. */
  readonly failed: Promise<never>;
  /** Why it cannot read just now. */
  trouble(): Waiting | undefined;
  close(): Promise<void>;
};

/** Follows the control topic from its beginning; resolves when it has read what was there. */
export async function followDecisions(log: LogClient, codec: AvroCodec, topic: string): Promise<DecisionHistory> {
  const decisions: Decision[] = [];
  const ids = new Set<string>();
  const remember = (decision: Decision): void => {
    if (ids.has(decision.decisionId)) return;
    ids.add(decision.decisionId);
    decisions.push(decision);
  };
  /** Records whose schema is on its way. */
  const pending: Promise<void>[] = [];
  /** Next offset whose predecessors are known. */
  let heard = 0;
  const following = await log.follow(topic, (record) => {
    const frame = record.value;
    const take = (): void => {
      heard = Math.max(heard, record.offset + 1);
      if (frame === null) return;
      const decoded = codec.decode(['decision'], frame);
      if (decoded.ok) remember(fromDecisionRecord(decoded.value));
    };
    const fetching = frame === null ? undefined : codec.prepare([frame]);
    if (fetching !== undefined) pending.push(fetching.then(take));
    else take();
  });
  await following.caughtUp;
  await Promise.all(pending);
  return {
    decisions,
    remember,
    failed: following.failed,
    trouble: () => following.trouble(),
    catchUp: async (abandoned) => {
      const [end = 0] = await log.endOffsets(topic);
      while (heard < end && !abandoned()) await wait(20);
      await Promise.all(pending.splice(0));
    },
    close: () => following.close(),
  };
}
