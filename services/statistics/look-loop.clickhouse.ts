/**
 * The statistics service: when a checkpoint has moved, one look per experiment, a reading for each, and at most one
 * decision. It decides from the sums of one version vector and from the decisions that the control topic holds; killed
 * between deciding and publishing it decides again.
 *
 * States: standing by (another process leads) <-> leading (every decision of earlier leaders is known) -> closed. While
 * it leads it waits `lookMs`, audits when that is due, and looks when a checkpoint has moved. A store or broker that is
 * away is waited for.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { decide } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import { type Generation, holdsPartition, partitionIdsOf } from '../kernel/generations.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import type { Clock } from '../kernel/time.ts';
import type { AvroCodec } from '../runtime/avro-codec.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { LogClient, LogProducer } from '../runtime/log.ts';
import { readGenerations, requireOpen } from '../runtime/generations.clickhouse.ts';
import { retryUntilAborted, type Waiting } from '../runtime/retry.ts';
import type { Singleton } from '../runtime/singleton.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { createStageCounts, type RunningStage } from '../runtime/stage.ts';
import { topicName } from '../runtime/topics.ts';
import type { Audit } from './audit.clickhouse.ts';
import { createAuditor } from './auditor.clickhouse.ts';
import { type DecisionHistory, decisionMessages, followDecisions } from './decisions.kafka.ts';
import { evaluate } from './evaluate.ts';
import { createLookReader, type LookReader, type LookRow } from './look-reader.ts';
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
  /** Pause between audits, ms; 0: never. A mismatch blocks decisions and is looked at again every 10 s. */
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

/** Which process may look: this one, always, or the one that leads its group. */
type Leadership = {
  leads(): boolean;
  /** True when this process leads, and knows every decision that the control topic held when its term began. */
  lead(): Promise<boolean>;
};

function createLeadership(
  singleton: Singleton | undefined,
  history: DecisionHistory,
  abandoned: () => boolean,
): Leadership {
  /** The term in which everything that earlier leaders decided is known. */
  let ledTerm: number | undefined;
  const leads = (): boolean => singleton === undefined || (singleton.leads() && singleton.term() === ledTerm);
  return {
    leads,
    lead: async () => {
      if (singleton === undefined || leads()) return true;
      const term = singleton.term();
      if (!singleton.leads()) return false;
      await history.catchUp(abandoned);
      ledTerm = term;
      return leads();
    },
  };
}

/** What has changed since the positions of `lookedAt`; undefined: nothing. */
async function readChanges(
  store: Store,
  generation: Generation,
  lookedAt: ReadonlyMap<number, number>,
): Promise<readonly LookRow[] | undefined> {
  const checkpoints = await store.rows<{ partitionId: number; position: string }>(await sqlQuery('checkpoints'));
  const moved = checkpoints.some(
    ({ partitionId, position }) =>
      holdsPartition(generation, partitionId) && lookedAt.get(partitionId) !== Number(position),
  );
  if (!moved) return undefined;
  const since = partitionIdsOf(generation).map((partitionId) => (lookedAt.get(partitionId) ?? -1) + 1);
  const params = { since, oldest: Math.min(...since), first: generation.firstPartitionId };
  return store.rows<LookRow>(await sqlQuery('look'), params);
}

type Looking = {
  readonly deps: StatisticsDeps;
  readonly generation: Generation;
  readonly reader: LookReader;
  readonly history: DecisionHistory;
  readonly leads: () => boolean;
  /** Aggregates that are not what their units say decide nothing; the look is shown all the same, under that name. */
  readonly mayDecide: () => boolean;
};

/** Looks of this process: what was looked at, found and published. */
function createLooks({ deps, generation, reader, history, leads, mayDecide }: Looking) {
  const { prefix, producer, codec, clock, store } = deps;
  const counts = createStageCounts();
  const lookedAt = new Map<number, number>();
  const latest = new Map<string, Evaluation>();
  let looks = 0;
  /** False: another process looks now, from what this one has published. */
  const publish = async (evaluation: Evaluation): Promise<boolean> => {
    const judged: ReturnType<typeof decide> = mayDecide()
      ? decide(evaluation, history.decisions)
      : { state: 'AUDIT_MISMATCH', ruleId: 'audit-mismatch' };
    const { state, decision } = judged;
    looks += 1;
    if (!leads()) return false;
    const key = evaluation.experiment.spec.id;
    const value = codec.encode('reading', toReading(evaluation, looks, state));
    if (decision) {
      await producer.send(decisionMessages({ prefix, codec }, decision, clock.now()));
      history.remember(decision);
      deps.onDecision?.(decision);
    }
    const topic = topicName(prefix, 'reading.v1');
    await producer.send([{ topic, partition: 0, key, value, timestamp: clock.now() }]);
    counts.in += 1;
    counts.forwarded += 1;
    latest.set(key, evaluation);
    deps.onLook?.(evaluation, state);
    return true;
  };
  const look = async (): Promise<void> => {
    const changed = await readChanges(store, generation, lookedAt);
    if (changed === undefined) return;
    reader.apply(changed);
    for (const evidence of reader.looks().values()) if (!(await publish(evaluate(evidence)))) return;
    for (const { kind, partitionId, position } of changed)
      if (kind === 'checkpoint') lookedAt.set(partitionId, Math.max(lookedAt.get(partitionId) ?? 0, Number(position)));
  };
  return { counts, lookedAt, latest, look, published: () => looks };
}

export async function startStatistics(deps: StatisticsDeps): Promise<RunningStatistics> {
  const { prefix, log, codec, clock, store, singleton, lookMs, auditMs = 300_000 } = deps;
  const controlTopic = topicName(prefix, 'control.v1');
  const alone: ReadonlySet<string> = new Set([`${controlTopic}/0`]);
  // Until it is started again: the joiners of this generation are those that its stages were started with.
  const generation = requireOpen(await readGenerations(store, log, prefix));
  const { firstPartitionId, partitions } = generation;
  const history = await followDecisions(log, codec, controlTopic);
  let closing = false;
  const abandoned = (): boolean => closing;
  let waiting: Waiting | undefined;
  const onWaiting = (error: Error | undefined): void => {
    waiting = error ? { what: error.message, since: waiting?.since ?? clock.now() } : undefined;
  };
  const untilDone = <T>(attempt: () => Promise<T>): Promise<T | undefined> =>
    retryUntilAborted(attempt, { abandoned, onWaiting });

  const { leads, lead } = createLeadership(singleton, history, abandoned);
  const auditor = createAuditor(store, clock, auditMs);
  const reader = createLookReader(partitions, firstPartitionId);
  const mayDecide = (): boolean => !auditor.hasMismatch();
  const looks = createLooks({ deps, generation, reader, history, leads, mayDecide });
  const audit = async (): Promise<void> => {
    if (await auditor.audit()) looks.lookedAt.clear();
  };

  const running = (async (): Promise<void> => {
    while (!closing && lookMs > 0) {
      if (await untilDone(lead)) {
        if (auditor.isDue()) await untilDone(audit);
        await untilDone(looks.look);
      }
      await wait(lookMs);
    }
  })();
  // It ends by closing or by an error; only the error is news.
  const broken = running.then(() => new Promise<never>(() => {}));
  const failed = Promise.race([broken, history.failed, ...(singleton ? [singleton.failed] : [])]);
  failed.catch(() => {});
  return {
    name: 'statistics',
    counts: looks.counts,
    owned: () => (singleton === undefined ? alone : singleton.owned()),
    position: (_topic, partition) => {
      const position = looks.lookedAt.get(firstPartitionId + partition);
      return position === undefined ? undefined : Math.floor(position / positionsPerOffset);
    },
    lookedAt: () => looks.lookedAt,
    looks: looks.published,
    look: async () => {
      if (await untilDone(lead)) await untilDone(looks.look);
    },
    audited: auditor.last,
    audit: async () => {
      await untilDone(audit);
    },
    decisions: () => history.decisions,
    latest: (experimentId) => looks.latest.get(experimentId),
    waitingFor: () => waiting ?? history.trouble(),
    failed,
    close: async () => {
      closing = true;
      await running.catch(() => {});
      await history.close();
      await singleton?.close();
    },
  };
}
