/** What the statistics service is given. */
import type { Decision } from '../kernel/decision.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import type { Clock } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { LogClient, LogProducer } from '../runtime/log.ts';
import type { Singleton } from '../runtime/singleton.ts';

export type StatisticsDeps = {
  readonly prefix: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  readonly clock: Clock;
  /** The time that traffic carries, for control topics that keep the producer's; absent: `clock`. */
  readonly eventClock?: Clock;
  /** Decisions are recorded and nobody obeys them: each counts as done. */
  readonly isObserved?: boolean;
  readonly store: Store;
  /** Pause between checks whether a checkpoint has moved, ms. 0: it looks only when `look` is called (lockstep). */
  readonly lookMs: number;
  /** Pause between audits, ms; 0: never. A mismatch blocks decisions and is looked at again every 10 s. */
  readonly auditMs?: number;
  /** Where several processes may run this stage: the one that leads looks and decides. Absent: it is alone. */
  readonly singleton?: Singleton;
  readonly onLook?: (evaluation: Evaluation, state: string) => void;
  readonly onDecision?: (decision: Decision) => void;
};
