/**
 * The statistics service: when a checkpoint has moved, one look per experiment, a reading for each, and at most one
 * decision. It decides from the sums of one version vector and from the decisions that the control topic holds; killed
 * between deciding and publishing it decides again.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { decide, fromDecisionRecord } from '../control/index.ts';
import { publishDecision } from '../control/publish-decision.kafka.ts';
import type { Decision } from '../kernel/decision.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import type { Clock } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { LogClient, LogProducer } from '../runtime/log.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import { readGenerations, requireOpen } from '../runtime/generations.clickhouse.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import type { Singleton } from '../runtime/singleton.ts';
import { createStageCounts, type RunningStage } from '../runtime/stage.ts';
import { topicName } from '../runtime/topics.ts';
import { retryUntilAborted } from '../runtime/retry.ts';
import { type Audit, auditAggregates } from './audit.clickhouse.ts';
import { evaluate } from './evaluate.ts';
import { createLookReader, type LookRow } from './look-reader.ts';
import { toReading } from './reading-record.ts';

export type StatisticsDeps = {
  readonly prefix: string;
  readonly log: LogClient;
  readonly producer: LogProducer;
  readonly codec: AvroCodec;
  readonly clock: Clock;
  readonly store: Store;
  /** Pause between checks whether a checkpoint has moved, ms. 0: it looks only when `look` is called (lockstep). */
  readonly lookMs: number;
  /** Pause between audits of the cells, ms; 0: never. A mismatch blocks decisions and is looked at again every 10 s. */
  readonly auditMs?: number;
  /** Where several processes may run this stage: the one that leads looks and decides. Absent: it is alone. */
  readonly singleton?: Singleton;
  readonly onLook?: (evaluation: Evaluation, state: string) => void;
  readonly onDecision?: (decision: Decision) => void;
};

/** Counts: a look at one experiment comes in, its reading is forwarded. */
export type RunningStatistics = RunningStage & {
  /** Position of each partition in the last published look. */
  lookedAt(): ReadonlyMap<number, number>;
  looks(): number;
  /** One look now, if a checkpoint has moved. */
  look(): Promise<void>;
  decisions(): readonly Decision[];
  latest(experimentId: string): Evaluation | undefined;
  /** The last audit; undefined before the first. */
  audited(): Audit | undefined;
  /** One audit now. */
  audit(): Promise<void>;
};

export async function startStatistics(deps: StatisticsDeps): Promise<RunningStatistics> {
  const { prefix, log, producer, codec, clock, store, singleton, lookMs, auditMs = 300_000 } = deps;
  const counts = createStageCounts();
  const controlTopic = topicName(prefix, 'control.v1');
  const alone: ReadonlySet<string> = new Set([`${controlTopic}/0`]);
  // Until it is started again: the joiners of this generation are those that its stages were started with.
  const { firstPartitionId, partitions } = requireOpen(await readGenerations(store, log, prefix));
  const decisions: Decision[] = [];
  const known = new Set<string>();
  const remember = (decision: Decision): void => {
    if (known.has(decision.decisionId)) return;
    known.add(decision.decisionId);
    decisions.push(decision);
  };
  const pending: Promise<void>[] = [];
  /** Next offset of the control topic whose predecessors are known. */
  let heard = 0;
  const control = await log.follow(controlTopic, (record) => {
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
  await control.caughtUp;
  await Promise.all(pending);

  const lookedAt = new Map<number, number>();
  const latest = new Map<string, Evaluation>();
  const reader = createLookReader(partitions, firstPartitionId);
  let looks = 0;
  let closing = false;
  let waiting: { what: string; since: number } | undefined;
  const retry = {
    abandoned: () => closing,
    onWaiting: (error: Error | undefined) =>
      (waiting = error ? { what: error.message, since: waiting?.since ?? clock.now() } : undefined),
  };

  let audited: Audit | undefined;
  let auditDue = clock.now() + auditMs;
  const audit = async (): Promise<void> => {
    const before = (audited?.mismatches.length ?? 0) > 0;
    audited = await auditAggregates(store);
    // What may be decided has changed although no checkpoint has.
    if (before !== audited.mismatches.length > 0) lookedAt.clear();
    auditDue = clock.now() + (audited.mismatches.length > 0 ? Math.min(auditMs, 10_000) : auditMs);
  };
  // Cells that are not what their units say decide nothing; everything else of the look is shown, under that name.
  const judged = (evaluation: Evaluation): ReturnType<typeof decide> =>
    (audited?.mismatches.length ?? 0) > 0
      ? { state: 'AUDIT_MISMATCH', ruleId: 'audit-mismatch' }
      : decide(evaluation, decisions);

  /** The term in which everything that earlier leaders decided is known. */
  let ledTerm: number | undefined;
  const leads = (): boolean => singleton === undefined || (singleton.leads() && singleton.term() === ledTerm);
  /** True when this process leads, and knows every decision that the control topic held when its term began. */
  const lead = async (): Promise<boolean> => {
    if (singleton === undefined || leads()) return true;
    const term = singleton.term();
    if (!singleton.leads()) return false;
    const [end = 0] = await log.endOffsets(controlTopic);
    while (heard < end && !closing) await wait(20);
    await Promise.all(pending.splice(0));
    ledTerm = term;
    return leads();
  };

  const look = async (): Promise<void> => {
    const checkpoints = (
      await store.rows<{ partitionId: number; position: string }>(await sqlQuery('checkpoints'))
    ).filter(({ partitionId }) => partitionId >= firstPartitionId && partitionId < firstPartitionId + partitions);
    if (checkpoints.every(({ partitionId, position }) => lookedAt.get(partitionId) === Number(position))) return;
    const since = Array.from(
      { length: partitions },
      (_, partition) => (lookedAt.get(firstPartitionId + partition) ?? -1) + 1,
    );
    const changed = await store.rows<LookRow>(await sqlQuery('look'), {
      since,
      oldest: Math.min(...since),
      first: firstPartitionId,
    });
    reader.apply(changed);
    for (const evidence of reader.looks().values()) {
      const evaluation = evaluate(evidence);
      const { state, decision } = judged(evaluation);
      looks += 1;
      const key = evaluation.experiment.spec.id;
      if (!leads()) return; // another process looks now, from what this one has published
      const reading = codec.encode('reading', toReading(evaluation, looks, state));
      if (decision) {
        const traceparent = `00-${decision.traceId}-${decision.decisionId.slice(0, 16)}-00`;
        await publishDecision({ prefix, producer, codec }, decision, { timestamp: clock.now(), traceparent });
        remember(decision);
        deps.onDecision?.(decision);
      }
      await producer.send([
        { topic: topicName(prefix, 'reading.v1'), partition: 0, key, value: reading, timestamp: clock.now() },
      ]);
      counts.in += 1;
      counts.forwarded += 1;
      latest.set(key, evaluation);
      deps.onLook?.(evaluation, state);
    }
    for (const row of changed)
      if (row.kind === 'checkpoint')
        lookedAt.set(row.partitionId, Math.max(lookedAt.get(row.partitionId) ?? 0, Number(row.position)));
  };

  let fail: (error: unknown) => void = () => {};
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const failed = singleton === undefined ? broken : Promise.race([broken, singleton.failed]);
  failed.catch(() => {});
  const loop = (async () => {
    while (!closing && lookMs > 0) {
      if (await retryUntilAborted(lead, retry)) {
        if (auditMs > 0 && clock.now() >= auditDue) await retryUntilAborted(audit, retry);
        await retryUntilAborted(look, retry);
      }
      await wait(lookMs);
    }
  })().catch(fail);
  return {
    name: 'statistics',
    counts,
    owned: () => (singleton === undefined ? alone : singleton.owned()),
    position: (_topic, partition) => {
      const position = lookedAt.get(firstPartitionId + partition);
      return position === undefined ? undefined : Math.floor(position / positionsPerOffset);
    },
    lookedAt: () => lookedAt,
    looks: () => looks,
    look: async () => {
      if (await retryUntilAborted(lead, retry)) await retryUntilAborted(look, retry);
    },
    audited: () => audited,
    audit: async () => {
      await retryUntilAborted(audit, retry);
    },
    decisions: () => decisions,
    latest: (experimentId) => latest.get(experimentId),
    waitingFor: () => waiting,
    failed,
    close: async () => {
      closing = true;
      await loop;
      await control.close();
      await singleton?.close();
    },
  };
}
