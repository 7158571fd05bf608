/**
 * What a flush writes: the facts since the last one, then in one block the changed units, entities, aggregates,
 * experiments and the checkpoint, all true of the same position.
 */
import { formatRevision } from '../kernel/experiment-json.ts';
import { hexOfId } from '../kernel/ids.ts';
import { createRowBinaryWriter, type RowBinaryWriter } from '../kernel/row-binary.ts';
import { erasedBody, type ExperimentBody, type RowPlace } from '../kernel/state/kinds.ts';
import { writeStateRow, writeUnitRow } from '../kernel/state/write.ts';
import { type ExperimentState, metricAggregateOf, testAggregateOf } from './experiment-state.ts';
import { gatherSums, recount } from './metric-sums.ts';
import type { PartitionState, Waiting } from './partition-state.ts';
import { countedAt, type EntityState, entriesAt } from './unit-state.ts';

export { factColumns } from './fact-rows.ts';

/** `taken`: the how-manieth flush of its partition, from 1. */
export type FlushRows = {
  readonly taken: number;
  readonly facts: Buffer;
  readonly factCount: number;
  readonly state: Buffer;
  readonly stateCount: number;
};

/**
 * Which revision of this state wrote a checkpoint. Raised when the same log would lead to other rows; a joiner goes on
 * from no other's state. 5: entries tell failed calls and lost visits, a call a little before its exposure belongs to
 * the entry, sums of tests are 128 bits wide, of metrics 256.
 */
export const stateRevision = 5;

const experimentBody = (experiment: ExperimentState): string =>
  JSON.stringify({
    revision: formatRevision(experiment.revision),
    segments: experiment.segments,
    configurationChanges: [...experiment.configurationChanges],
    armSeen: experiment.armSeen,
    assigned: experiment.assigned,
    events: experiment.events,
    crossovers: experiment.crossovers,
    ...(experiment.aliasCrossovers > 0 && { aliasCrossovers: experiment.aliasCrossovers }),
    lastSeenAt: experiment.lastSeenAt,
    ...(experiment.clocks.size > 0 && { clocks: [...experiment.clocks] }),
    lateOutcomes: experiment.lateOutcomes,
    unknown: [...experiment.unknown.values()],
  } satisfies ExperimentBody);

const entityBody = (entity: EntityState): string =>
  JSON.stringify({
    first: [...entity.firstAt],
    outcomes: [...entity.outcomes].map(([id, outcome]) => [hexOfId(id), outcome]),
  });

const waitingBody = (outcomes: readonly Waiting[]): string =>
  JSON.stringify(outcomes.map(({ outcomeId, outcome }) => [hexOfId(outcomeId), outcome]));

/**
 * Bytes that the changed units' rows will take, at least: growing to several megabytes in every flush costs more than
 * writing them.
 */
function rowsRoom({ touchedMembers }: PartitionState): number {
  let numbers = 0;
  for (const { experiment } of touchedMembers) numbers = Math.max(numbers, experiment.pool.stride);
  return 4_096 + touchedMembers.size * (numbers * 8 + 128);
}

/** Where a flush's rows go, and of which partition and position they are true. */
type Flush = { readonly rows: RowBinaryWriter; readonly place: RowPlace };

/** Brings the metric aggregates up to date on the way; returns the experiments in which any changed. */
function writeUnits({ rows, place }: Flush, { touchedMembers }: PartitionState): ReadonlySet<ExperimentState> {
  const changed = new Set<ExperimentState>();
  for (const member of touchedMembers) {
    const { experiment, unit, data } = member;
    recount(member);
    changed.add(experiment);
    member.touched = false;
    const { spec, phase } = experiment.revision;
    writeUnitRow(rows, place, {
      experiment: spec.id,
      phase,
      key: unit.id,
      arm: experiment.arms[member.arm] ?? '',
      bucket: unit.bucket,
      crossover: member.crossed,
      firstExposedAt: member.firstAt,
      data,
      totals: [member.at, countedAt(member)],
      entries: [entriesAt(member), member.at + experiment.pool.stride],
    });
  }
  touchedMembers.clear();
  return changed;
}

function writeEntities({ rows, place }: Flush, { touchedEntities, erasing }: PartitionState): void {
  for (const { unit, entity } of touchedEntities) {
    entity.touched = false;
    const [key, body] = [unit.id + entity.id, entityBody(entity)];
    writeStateRow(rows, place, { kind: 'entity', key, bucket: unit.bucket, body });
  }
  touchedEntities.clear();
  for (const { unit, entities } of erasing) {
    const { id, bucket } = unit;
    for (const entity of entities)
      if (entity !== '') writeStateRow(rows, place, { kind: 'entity', key: id + entity, bucket });
    writeStateRow(rows, place, { kind: 'entity', key: id, bucket, body: erasedBody });
  }
  erasing.length = 0;
}

function writeWaiting({ rows, place }: Flush, { touchedWaiting, waiting }: PartitionState): void {
  for (const key of touchedWaiting) {
    const { expiresAt, outcomes } = waiting.get(key) ?? { expiresAt: 0, outcomes: [] };
    const row = { expiresAt, waiting: outcomes.length, body: waitingBody(outcomes) };
    writeStateRow(rows, place, { kind: 'pending', key, ...row });
  }
  touchedWaiting.clear();
}

function writeMetricAggregates({ rows, place }: Flush, experiment: ExperimentState): void {
  const { spec, phase } = experiment.revision;
  for (const [arm, aggregates] of experiment.metricAggregates.entries()) {
    for (const [metricOrdinal, sums] of aggregates.entries()) {
      gatherSums(sums);
      writeStateRow(rows, place, {
        kind: 'metric_aggregate',
        experiment: spec.id,
        phase,
        key: `${arm}/${metricOrdinal}`,
        metricOrdinal,
        aggregate: metricAggregateOf(experiment, arm, metricOrdinal, sums),
      });
    }
  }
}

function writeTestAggregates({ rows, place }: Flush, experiment: ExperimentState): void {
  const { spec, phase } = experiment.revision;
  for (const key of experiment.touchedAggregates) {
    const sums = experiment.testAggregates.get(key);
    if (sums === undefined) continue;
    const aggregate = testAggregateOf(experiment, key, sums);
    writeStateRow(rows, place, { kind: 'test_aggregate', experiment: spec.id, phase, key: String(key), aggregate });
  }
  experiment.touchedAggregates.clear();
}

function writeExperiment({ rows, place }: Flush, experiment: ExperimentState): void {
  if (!experiment.touched) return;
  const { spec, phase } = experiment.revision;
  writeStateRow(rows, place, { kind: 'experiment', experiment: spec.id, phase, body: experimentBody(experiment) });
  experiment.touched = false;
}

/** `position` must be the end of a message: offset of the next one * 4096. Clears what was touched. */
export function takeFlushRows(partition: PartitionState, position: number): FlushRows {
  const factCount = partition.facts.rows;
  const facts = partition.facts.take();
  const rows = createRowBinaryWriter(rowsRoom(partition));
  const flush: Flush = { rows, place: { log: 'unit', partitionId: partition.partitionId, position } };
  const changed = writeUnits(flush, partition);
  writeEntities(flush, partition);
  writeWaiting(flush, partition);
  for (const experiment of [...partition.retired.splice(0), ...partition.experiments.values()]) {
    if (changed.has(experiment)) writeMetricAggregates(flush, experiment);
    writeTestAggregates(flush, experiment);
    writeExperiment(flush, experiment);
  }
  writeStateRow(rows, flush.place, { kind: 'checkpoint', stateRevision, eventClock: partition.clock });
  partition.position = position;
  partition.taken += 1;
  return { taken: partition.taken, factCount, facts, stateCount: rows.rows, state: rows.take() };
}
