/** Looks of one process: what has changed, what is found and published, and what nobody has answered. */
import { controlMessages } from '../control/control-messages.kafka.ts';
import { decide, type Judgement } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import { type Generation, holdsPartition, partitionIdsOf } from '../kernel/generations.ts';
import type { Store } from '../runtime/clickhouse-client.ts';
import type { Waiting } from '../runtime/retry.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { createStageCounts } from '../runtime/stage.ts';
import { topicName } from '../runtime/topics.ts';
import { createEndings } from './endings.ts';
import type { DecisionHistory } from './follow-decisions.kafka.ts';
import { type Judged, judgeLook } from './judge-look.ts';
import type { LookReader, LookRow } from './look-reader.ts';
import { toReading } from './reading-record.ts';
import type { StatisticsDeps } from './statistics-deps.kafka.ts';
import { withheld } from './withheld.ts';

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
  /** False: aggregates are not what their units say. */
  readonly mayPromote: () => boolean;
};

/** Looks of this process: what was looked at, found and published. */
export function createLooks({ deps, generation, reader, history, leads, mayPromote }: Looking) {
  const { prefix, log, producer, codec, clock, store, eventClock = clock, isObserved } = deps;
  const { said } = history;
  const counts = createStageCounts();
  const lookedAt = new Map<number, number>();
  const latest = new Map<string, Evaluation>();
  const readingTopic = topicName(prefix, 'reading.v1');
  let looks = 0;
  /** The number of the next reading: its place in the topic, whichever process writes it. */
  let nextReading: number | undefined;
  const over = createEndings();
  // A replay tells the whole story, with what control did after the end.
  const hasEnded: typeof over.hasEnded = eventClock === clock ? over.hasEnded : () => false;
  /** Experiments that cannot be evaluated, and why: nothing guards them, and the others go on. */
  const unguarded = new Map<string, string>();
  const send = (decision: Decision) =>
    producer.send(controlMessages({ prefix, codec }, { kind: 'decision', decision }, eventClock.now()));
  const judge = (evaluation: Evaluation): Judgement => {
    const judged = isObserved
      ? decide(evaluation, history.decisions)
      : decide(evaluation, history.applied, history.viewOf(evaluation.experiment.spec.id));
    return withheld(judged, mayPromote());
  };
  const unansweredOf = (experimentId: string): readonly Decision[] =>
    isObserved
      ? []
      : said.alerts(clock.now()).flatMap(({ decision }) => (decision.experimentId === experimentId ? [decision] : []));
  /** What nobody has answered is said again, the same. */
  const sayAgain = async (): Promise<void> => {
    if (isObserved || !leads()) return;
    for (const decision of said.due(clock.now())) await send(decision);
  };
  /** False: another process looks now, from what this one has published. */
  const publish = async (judged: Judged): Promise<boolean> => {
    if (!judged.ok) {
      unguarded.set(judged.experiment, judged.cause);
      return true;
    }
    const { evaluation, state, decision } = judged;
    unguarded.delete(evaluation.experiment.spec.id);
    looks += 1;
    if (!leads()) return false;
    const key = evaluation.experiment.spec.id;
    nextReading ??= (await log.endOffsets(readingTopic))[0] ?? 0;
    const value = codec.encode('reading', toReading(evaluation, nextReading + 1, state, unansweredOf(key)));
    if (decision && !said.isOnItsWay(decision)) {
      await send(decision);
      said.published(decision, clock.now());
      deps.onDecision?.(decision);
    }
    const reading = { topic: readingTopic, partition: 0, key, value, timestamp: clock.now() };
    nextReading = (await producer.send([reading])).get(`${readingTopic}/0`) ?? nextReading + 1;
    over.published(evaluation);
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
    for (const evidence of reader.looks(hasEnded).values()) if (!(await publish(judgeLook(evidence, judge)))) return;
    for (const { kind, partitionId, position } of changed)
      if (kind === 'checkpoint') lookedAt.set(partitionId, Math.max(lookedAt.get(partitionId) ?? 0, Number(position)));
  };
  /** Another process may have looked meanwhile. */
  const newTerm = (): void => {
    nextReading = undefined;
  };
  return { counts, lookedAt, latest, look, sayAgain, newTerm, unguarded, published: () => looks };
}

/** For `status`. */
export function tellUnguarded(unguarded: ReadonlyMap<string, string>, since: number): Waiting | undefined {
  const [first] = unguarded;
  return first && { what: `${first[0]} cannot be evaluated, nothing guards it: ${first[1]}`, since };
}
