/**
 * What a flush writes: the facts since the last one, then in one block the changed units, entities, cells, experiments
 * and the checkpoint, all true of the same position. metric aggregates are brought up to date here, from the difference of
 * each changed unit to what they hold.
 */
import { formatRevision } from '../kernel/experiment-json.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { createRowBinaryWriter } from '../kernel/row-binary.ts';
import { type StateRow, writeStateRow, writeUnitRow } from '../kernel/state-rows.ts';
import {
  countedAt,
  type EntityState,
  entriesAt,
  type ExperimentState,
  type PartitionState,
  type MetricSums,
  readAggregateKey,
  type UnitInExperiment,
  type Waiting,
} from './partition-state.ts';

export { factColumns } from './fact-rows.ts';

/** `taken`: the how-manieth flush of its partition, from 1. */
export type FlushRows = {
  readonly taken: number;
  readonly facts: Buffer;
  readonly factCount: number;
  readonly state: Buffer;
  readonly stateCount: number;
};

/** Adds a whole number to a big sum; small ones are collected as numbers first, which costs a tenth. */
function addTo(
  sums: MetricSums,
  field: 'numerator' | 'denominator' | 'numerator2' | 'denominator2' | 'product',
  index: number,
  left: number,
  right: number,
): void {
  const product = left * right;
  const next = (sums.small[index] ?? 0) + product;
  if (Number.isSafeInteger(next) && Number.isSafeInteger(product)) sums.small[index] = next;
  else sums[field] += BigInt(left) * BigInt(right);
}

function settle(sums: MetricSums): void {
  for (const [index, field] of (
    ['numerator', 'denominator', 'numerator2', 'denominator2', 'product'] as const
  ).entries()) {
    sums[field] += BigInt(sums.small[index] ?? 0);
    sums.small[index] = 0;
  }
}

/** Moves the unit from what the metric aggregates hold of it to what it is now. */
function recount(member: UnitInExperiment): number {
  const { experiment, data, at } = member;
  const counted = countedAt(member);
  const arm = member.crossed ? -1 : member.arm;
  if (member.countedArm === arm) moveTotals(experiment.metricAggregates[arm], data, at, counted);
  else {
    countUnit(experiment.metricAggregates[member.countedArm], data, counted, -1);
    countUnit(experiment.metricAggregates[arm], data, at, 1);
  }
  member.countedArm = arm;
  data.copyWithin(counted, at, counted);
  return arm;
}

function countUnit(
  testAggregates: readonly MetricSums[] | undefined,
  data: Float64Array,
  from: number,
  sign: 1 | -1,
): void {
  for (const [metric, aggregate] of testAggregates?.entries() ?? []) {
    const y = data[from + 2 * metric] ?? 0;
    const x = data[from + 2 * metric + 1] ?? 0;
    aggregate.units += sign;
    if (y > 0) aggregate.firstEvents += sign;
    addTo(aggregate, 'numerator', 0, sign, y);
    addTo(aggregate, 'denominator', 1, sign, x);
    addTo(aggregate, 'numerator2', 2, sign * y, y);
    addTo(aggregate, 'denominator2', 3, sign * x, x);
    addTo(aggregate, 'product', 4, sign * y, x);
  }
}

/** The same unit in the same arm: only the differences, y^2 - y0^2 = (y - y0)(y + y0). */
function moveTotals(
  testAggregates: readonly MetricSums[] | undefined,
  data: Float64Array,
  now: number,
  before: number,
): void {
  if (testAggregates === undefined) return;
  for (let metric = 0; metric < testAggregates.length; metric += 1) {
    const aggregate = testAggregates[metric] as MetricSums;
    const y = data[now + 2 * metric] ?? 0;
    const x = data[now + 2 * metric + 1] ?? 0;
    const y0 = data[before + 2 * metric] ?? 0;
    const x0 = data[before + 2 * metric + 1] ?? 0;
    if (y === y0 && x === x0) continue;
    if (y > 0 !== y0 > 0) aggregate.firstEvents += y > 0 ? 1 : -1;
    addTo(aggregate, 'numerator', 0, 1, y - y0);
    addTo(aggregate, 'denominator', 1, 1, x - x0);
    addTo(aggregate, 'numerator2', 2, y - y0, y + y0);
    addTo(aggregate, 'denominator2', 3, x - x0, x + x0);
    addTo(aggregate, 'product', 4, y, x);
    addTo(aggregate, 'product', 4, -y0, x0);
  }
}

export const experimentBody = (experiment: ExperimentState): string =>
  JSON.stringify({
    revision: formatRevision(experiment.revision),
    segments: experiment.segments,
    configurationChanges: [...experiment.configurationChanges],
    armSeen: experiment.armSeen,
    assigned: experiment.assigned,
    events: experiment.events,
    crossovers: experiment.crossovers,
    lastSeenAt: experiment.lastSeenAt,
    lateOutcomes: experiment.lateOutcomes,
  });

const entityBody = (entity: EntityState): string =>
  JSON.stringify({
    first: [...entity.firstAt],
    outcomes: [...entity.outcomes].map(([id, outcome]) => [Buffer.from(id, 'latin1').toString('hex'), outcome]),
  });

const waitingBody = (outcomes: readonly Waiting[]): string =>
  JSON.stringify(outcomes.map(({ outcomeId, outcome }) => [Buffer.from(outcomeId, 'latin1').toString('hex'), outcome]));

/**
 * Which fold wrote a checkpoint. Raised when a later one would fold the same log to other rows; a joiner goes on from
 * no other's state. 2: an entity remembers its first inference by experiment and phase, an event counts once for each
 * of its units.
 */
export const foldRevision = 2;

/** Body of the row that stands for a unit whose subject asked to be forgotten, under the key of its bare outcomes. */
export const erasedBody = '{"erased":true}';

/**
 * Bytes that the changed units' rows will take, at least: growing to several megabytes in every flush costs more than
 * writing them.
 */
function rowsRoom({ touchedMembers }: PartitionState): number {
  let numbers = 0;
  for (const { experiment } of touchedMembers) numbers = Math.max(numbers, experiment.pool.stride);
  return 4_096 + touchedMembers.size * (numbers * 8 + 96);
}

/** `position` must be the end of a message: offset of the next one * 4096. Clears what was touched. */
export function takeFlushRows(partition: PartitionState, position: number): FlushRows {
  const factCount = partition.facts.rows;
  const facts = partition.facts.take();
  const state = createRowBinaryWriter(rowsRoom(partition));
  const write = (row: StateRow): void => writeStateRow(state, 1, partition.partitionId, position, row);
  const changedExperiments = new Set<ExperimentState>();
  for (const member of partition.touchedMembers) {
    const { experiment, unit } = member;
    const arm = recount(member);
    changedExperiments.add(experiment);
    member.touched = false;
    const { spec, phase } = experiment.revision;
    const counted = countedAt(member);
    writeUnitRow(state, partition.partitionId, position, unit.id, {
      experiment: spec.id,
      phase,
      arm: experiment.arms[arm] ?? '',
      candidate: experiment.arms[member.arm] ?? '',
      slot: unit.bucket + 1,
      clock: member.firstAt,
      n: arm < 0 ? 0 : 1,
      data: member.data,
      x: [member.at, counted],
      y: [entriesAt(member), member.at + experiment.pool.stride],
    });
  }
  partition.touchedMembers.clear();
  for (const { unit, entity } of partition.touchedEntities) {
    entity.touched = false;
    write({ kind: 'entity', key: unit.id + entity.id, slot: unit.bucket + 1, body: entityBody(entity) });
  }
  partition.touchedEntities.clear();
  for (const { unit, entities } of partition.erasing) {
    const slot = unit.bucket + 1;
    for (const entity of entities) if (entity !== '') write({ kind: 'entity', key: unit.id + entity, slot });
    write({ kind: 'entity', key: unit.id, slot, body: erasedBody });
  }
  partition.erasing.length = 0;
  for (const id of partition.touchedWaiting) {
    const waiting = partition.waiting.get(id);
    write({
      kind: 'pending',
      key: id,
      clock: waiting?.expiresAt ?? 0,
      n: waiting?.outcomes.length ?? 0,
      body: waitingBody(waiting?.outcomes ?? []),
    });
  }
  partition.touchedWaiting.clear();
  for (const experiment of [...partition.retired.splice(0), ...partition.experiments.values()]) {
    const { spec, phase } = experiment.revision;
    const name = { experiment: spec.id, phase };
    if (changedExperiments.has(experiment)) {
      for (const [arm, testAggregates] of experiment.metricAggregates.entries()) {
        for (const [metric, aggregate] of testAggregates.entries()) {
          settle(aggregate);
          write({
            kind: 'report',
            ...name,
            key: `${arm}/${metric}`,
            arm: experiment.arms[arm] ?? '',
            metric: spec.metrics[metric]?.id ?? '',
            slot: metric,
            n: aggregate.units,
            x: [aggregate.firstEvents],
            xx: [
              aggregate.numerator,
              aggregate.denominator,
              aggregate.numerator2,
              aggregate.denominator2,
              aggregate.product,
            ],
          });
        }
      }
    }
    for (const key of experiment.touchedAggregates) {
      const { segment, candidate, side, metric } = readAggregateKey(experiment, key);
      const sums = experiment.testAggregates.get(key);
      const candidateArm = experiment.arms[experiment.candidates[candidate] ?? -1] ?? '';
      if (sums === undefined) continue;
      const x = [sums.s, sums.sv, sums.svv, ...sums.harm, ...sums.win];
      if (!x.every(Number.isSafeInteger)) {
        throw new PipelineError(
          'SUM_OUT_OF_RANGE',
          `entry sums of ${spec.id}, segment ${segment} in partition ${partition.partitionId} passed 2^53`,
          { hint: 'spread the unit log over more partitions' },
        );
      }
      write({
        kind: 'entry',
        ...name,
        key: String(key),
        arm: side === 1 ? candidateArm : (experiment.arms[experiment.control] ?? ''),
        metric: spec.metrics[metric]?.id ?? '',
        candidate: candidateArm,
        slot: segment,
        n: sums.n,
        x,
      });
    }
    experiment.touchedAggregates.clear();
    if (experiment.touched) write({ kind: 'experiment', ...name, body: experimentBody(experiment) });
    experiment.touched = false;
  }
  write({ kind: 'checkpoint', slot: foldRevision, clock: partition.clock });
  partition.position = position;
  partition.taken += 1;
  return { taken: partition.taken, factCount, facts, stateCount: state.rows, state: state.take() };
}
