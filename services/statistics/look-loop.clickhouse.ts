/**
 * The statistics service: when a checkpoint has moved, one look per experiment, a reading for each, and at most one
 * decision. It decides from the sums of one version vector and from the decisions that the control topic holds; killed
 * between deciding and publishing it decides again.
 *
 * States: standing by (another process leads) <-> leading (every decision of earlier leaders is known) -> closed. While
 * it leads it waits `lookMs` and looks when a checkpoint has moved; audits go on next to it. A store or broker that is
 * away is waited for.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Decision } from '../kernel/decision.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import { positionsPerOffset } from '../kernel/state/kinds.ts';
import { readGenerations, requireOpen } from '../runtime/generations.clickhouse.ts';
import { retryUntilAborted, type Waiting } from '../runtime/retry.ts';
import type { RunningStage } from '../runtime/stage.ts';
import { topicName } from '../runtime/topics.ts';
import { type AuditState, createAuditor } from './auditor.clickhouse.ts';
import { followDecisions, notObeyed } from './follow-decisions.kafka.ts';
import { createLeadership } from './leadership.kafka.ts';
import { createLookReader } from './look-reader.ts';
import { createLooks, tellUnguarded } from './looks.clickhouse.ts';
import type { StatisticsDeps } from './statistics-deps.kafka.ts';

export type { StatisticsDeps } from './statistics-deps.kafka.ts';

/** Counts: a look at one experiment comes in, its reading is forwarded. */
export type RunningStatistics = RunningStage & {
  /** Position of each partition in the last published look. */
  lookedAt(): ReadonlyMap<number, number>;
  looks(): number;
  /** One look now, if a checkpoint has moved. */
  look(): Promise<void>;
  /** Of the control topic, each once, obeyed or not. */
  decisions(): readonly Decision[];
  /** Resolves when everything is known that the control topic holds now. */
  upToDate(): Promise<void>;
  latest(experimentId: string): Evaluation | undefined;
  /** The last audit; undefined before the first. */
  audited(): AuditState | undefined;
  /** One audit now. */
  audit(): Promise<void>;
};

/** Again and again with a pause between, until it is abandoned. A pause of 0: never, looks are asked for. */
async function every(pauseMs: number, abandoned: () => boolean, round: () => Promise<void>): Promise<void> {
  while (!abandoned() && pauseMs > 0) {
    await round();
    await wait(pauseMs);
  }
}

export async function startStatistics(deps: StatisticsDeps): Promise<RunningStatistics> {
  const { prefix, log, codec, clock, store, singleton, lookMs, auditMs = 300_000 } = deps;
  const controlTopic = topicName(prefix, 'control.v1');
  const alone: ReadonlySet<string> = new Set([`${controlTopic}/0`]);
  // Until it is started again: the joiners of this generation are those that its stages were started with.
  const generation = requireOpen(await readGenerations(store, log, prefix));
  const { firstPartitionId, partitions } = generation;
  let closing = false;
  const abandoned = (): boolean => closing;
  const history = await followDecisions({ prefix, log, codec, clock, abandoned });
  let waiting: Waiting | undefined;
  const onWaiting = (error: Error | undefined): void => {
    waiting = error ? { what: error.message, since: waiting?.since ?? clock.now() } : undefined;
  };
  const untilDone = <T>(attempt: () => Promise<T>): Promise<T | undefined> =>
    retryUntilAborted(attempt, { abandoned, onWaiting });

  const { leads, lead } = createLeadership(singleton, history, () => looks.newTerm());
  const auditor = createAuditor(store, clock, auditMs);
  const reader = createLookReader(partitions, firstPartitionId);
  const mayPromote = (): boolean => !auditor.hasMismatch();
  const looks = createLooks({ deps, generation, reader, history, leads, mayPromote });
  const audit = async (): Promise<void> => {
    if (await auditor.audit(abandoned)) looks.lookedAt.clear();
  };

  const running = every(lookMs, abandoned, async () => {
    if (!(await untilDone(lead))) return;
    await untilDone(looks.look);
    await untilDone(looks.sayAgain);
  });
  // Next to the looks, never in their way: a round that fails is tried again when the next one is due.
  const auditing = every(lookMs, abandoned, async () => {
    if (leads() && auditor.isDue()) await audit().catch(() => {});
  });
  // They end by closing or by an error; only the error is news.
  const broken = Promise.all([running, auditing]).then(() => new Promise<never>(() => {}));
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
      if (!(await untilDone(lead))) return;
      // Lockstep: each look knows what came of the one before it.
      await untilDone(history.catchUp);
      await untilDone(looks.look);
      await untilDone(looks.sayAgain);
      await untilDone(history.catchUp);
    },
    audited: auditor.last,
    audit: async () => {
      await untilDone(audit);
    },
    decisions: () => history.decisions,
    upToDate: history.catchUp,
    latest: (experimentId) => looks.latest.get(experimentId),
    waitingFor: () =>
      waiting ??
      history.trouble() ??
      tellUnguarded(looks.unguarded, clock.now()) ??
      (deps.isObserved ? undefined : notObeyed(history, clock)),
    failed,
    close: async () => {
      closing = true;
      // An audit that is under way changes nothing and is not waited for.
      await running.catch(() => {});
      await history.close();
      await singleton?.close();
    },
  };
}
