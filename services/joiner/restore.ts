/**
 * A partition as of its checkpoint, from rows of table `state`: first everything but its units, then units as they are
 * needed. Several rows of a key may come: the one with the highest position counts.
 */
import { idOfHex } from '../kernel/ids.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { erasedBody } from '../kernel/state/kinds.ts';
import {
  type PartitionRow,
  readExperimentBody,
  readMetricAggregate,
  readTestAggregate,
  type UnitRowText,
} from '../kernel/state/read.ts';
import type { EpochMs } from '../kernel/time.ts';
import {
  contributionKey,
  createExperimentState,
  type ExperimentState,
  readAggregateKey,
  unknownKey,
} from './experiment-state.ts';
import { roundedSums } from '../kernel/wide-sums.ts';
import { stateRevision } from './flush-rows.ts';
import { magnitudeOf } from './fold-outcome.ts';
import { contribute } from './outcome-totals.ts';
import { createPartitionState, type PartitionState } from './partition-state.ts';
import {
  countedAt,
  createEntity,
  createMember,
  createUnit,
  entriesAt,
  type OutcomeState,
  type UnitInExperiment,
  type UnitState,
} from './unit-state.ts';

/** Hex digits of a 16-byte id. */
const idDigits = 32;
/** The unit that a row of kind unit or entity is about. */
export const unitOfKey = (key: string): string => idOfHex(key.slice(0, idDigits));

/** Everything but units, entities and event ids. A partition without a checkpoint is empty. */
export function restorePartition(partitionId: number, rows: readonly PartitionRow[], evicts: boolean): PartitionState {
  const partition = createPartitionState(partitionId, evicts);
  const checkpoint = rows.find((row) => row.kind === 'checkpoint');
  if (checkpoint === undefined) return partition;
  requireRevision(partitionId, checkpoint);
  partition.position = Number(checkpoint.position);
  partition.clock = Number(checkpoint.eventClock);
  restoreExperiments(partition, rows);
  for (const row of rows) {
    if (row.kind === 'metric_aggregate') restoreMetricAggregate(liveExperiment(partition, row), row);
    else if (row.kind === 'test_aggregate') restoreTestAggregate(liveExperiment(partition, row), row);
    else if (row.kind === 'pending' && row.waiting > 0) restoreWaiting(partition, row);
  }
  for (const experiment of partition.experiments.values()) restoreContributions(experiment);
  return partition;
}

function requireRevision(partitionId: number, checkpoint: PartitionRow): void {
  if (checkpoint.stateRevision === stateRevision) return;
  throw new PipelineError(
    'STATE_CORRUPT',
    `partition ${partitionId} was written by revision ${checkpoint.stateRevision} of the joiner's state, ` +
      `this is revision ${stateRevision}`,
    {
      hint: 'fold the unit log again with this version: `npx tripline rebuild`; or run the version that wrote it',
    },
  );
}

/** The newest phase of each; rows of earlier phases stay what they are. */
function restoreExperiments(partition: PartitionState, rows: readonly PartitionRow[]): void {
  const newest = new Map<string, number>();
  for (const { kind, experiment, phase } of rows)
    if (kind === 'experiment') newest.set(experiment, Math.max(newest.get(experiment) ?? 0, phase));
  for (const row of rows)
    if (row.kind === 'experiment' && newest.get(row.experiment) === row.phase)
      partition.experiments.set(row.experiment, restoreExperiment(row.body));
}

function restoreExperiment(text: string): ExperimentState {
  const body = readExperimentBody(text);
  const state = createExperimentState(body.revision);
  state.segments.splice(0, 1, ...body.segments);
  for (const [key, change] of body.configurationChanges) state.configurationChanges.set(key, change);
  state.armSeen.splice(0, state.armSeen.length, ...body.armSeen);
  state.assigned.splice(0, state.assigned.length, ...body.assigned);
  state.lastSeenAt.splice(0, state.lastSeenAt.length, ...body.lastSeenAt);
  for (const [service, skew] of body.clocks ?? []) state.clocks.set(service, skew);
  state.events = body.events;
  state.crossovers = body.crossovers;
  state.aliasCrossovers = body.aliasCrossovers ?? 0;
  state.lateOutcomes = body.lateOutcomes;
  for (const calls of body.unknown) state.unknown.set(unknownKey(calls), calls);
  state.touched = false;
  return state;
}

/** Only the newest phase of an experiment goes on. */
function liveExperiment(
  partition: PartitionState,
  row: { readonly experiment: string; readonly phase: number },
): ExperimentState | undefined {
  const experiment = partition.experiments.get(row.experiment);
  return experiment?.revision.phase === row.phase ? experiment : undefined;
}

function restoreMetricAggregate(experiment: ExperimentState | undefined, row: PartitionRow): void {
  const into = experiment?.metricAggregates[experiment.arms.indexOf(row.arm)]?.[row.metricOrdinal];
  if (into === undefined) return;
  const { partitionId: _partitionId, arm: _arm, metric: _metric, ...sums } = readMetricAggregate(row);
  Object.assign(into, sums);
}

function restoreTestAggregate(experiment: ExperimentState | undefined, row: PartitionRow): void {
  experiment?.testAggregates.set(Number(idOfHex(row.key)), readTestAggregate(row).sums);
}

/** What the arms contributed is the sum over segments. */
function restoreContributions(experiment: ExperimentState): void {
  for (const [key, held] of experiment.testAggregates) {
    const sums = roundedSums(held);
    const { candidate, side, metric } = readAggregateKey(experiment, key);
    const contributed = experiment.contributions[contributionKey(experiment, candidate, side, metric)];
    if (contributed === undefined) continue;
    contributed.n += sums.n;
    contributed.w += sums.w;
    contributed.bound += sums.bound;
  }
}

function restoreWaiting(partition: PartitionState, row: PartitionRow): void {
  const outcomes = JSON.parse(row.body) as [string, OutcomeState][];
  const expiresAt = Number(row.expiresAt);
  const inference = idOfHex(row.key);
  partition.waiting.set(inference, {
    expiresAt,
    outcomes: outcomes.map(([id, outcome]) => ({ outcomeId: idOfHex(id), outcome })),
  });
  partition.expiring.push(expiresAt, inference);
}

/** The row with the highest position of each key. */
function newestRows(rows: readonly UnitRowText[]): UnitRowText[] {
  const newest = new Map<string, UnitRowText>();
  for (const row of rows) {
    const key = `${row.kind}/${row.experiment}/${row.phase}/${row.key}`;
    const held = newest.get(key);
    if (held === undefined || Number(held.position) < Number(row.position)) newest.set(key, row);
  }
  return [...newest.values()];
}

/**
 * Caches units from their rows of kinds unit and entity. When their open entries close is the caller's concern: the
 * queue may hold it.
 */
export function restoreUnits(partition: PartitionState, rows: readonly UnitRowText[]): UnitState[] {
  const restored = new Map<string, UnitState>();
  for (const row of newestRows(rows)) {
    const id = unitOfKey(row.key);
    let unit = restored.get(id);
    if (unit === undefined) {
      unit = createUnit(id);
      restored.set(id, unit);
      partition.units.set(id, unit);
    }
    if (unit.bucket < 0) unit.bucket = row.bucket;
    if (row.kind === 'unit') restoreMember(liveExperiment(partition, row), unit, row);
    else if (row.body === erasedBody) unit.erased = true;
    else if (row.body !== '') restoreEntity(unit, idOfHex(row.key.slice(idDigits)), row.body);
  }
  for (const unit of restored.values()) for (const member of unit.experiments) restoreEntityTotals(member);
  return [...restored.values()];
}

function restoreMember(experiment: ExperimentState | undefined, unit: UnitState, row: UnitRowText): void {
  if (experiment === undefined) return;
  const member = createMember(unit, experiment, experiment.arms.indexOf(row.arm), Number(row.firstExposedAt));
  const { data, at } = member;
  for (let index = 0; index < row.totals.length; index += 1) data[at + index] = Number(row.totals[index]);
  data.copyWithin(countedAt(member), at, countedAt(member));
  const from = entriesAt(member);
  for (let index = 0; index < row.entries.length; index += 1) data[from + index] = Number(row.entries[index]);
  member.crossed = row.crossover;
  member.countedArm = row.crossover ? -1 : member.arm;
  unit.experiments.push(member);
}

function restoreEntity(unit: UnitState, id: string, body: string): void {
  const { first, outcomes } = JSON.parse(body) as { first: [string, EpochMs][]; outcomes: [string, OutcomeState][] };
  const entity = createEntity(id);
  for (const [key, at] of first) entity.firstAt.set(key, at);
  for (const [outcomeId, outcome] of outcomes) {
    entity.outcomes.set(idOfHex(outcomeId), outcome);
    unit.magnitude += magnitudeOf(outcome);
  }
  unit.entities ??= new Map();
  unit.entities.set(id, entity);
}

/**
 * What each entity adds is a function of its outcomes: counted again, without touching the unit's totals that already
 * hold it.
 */
function restoreEntityTotals(member: UnitInExperiment): void {
  const { data, at } = member;
  const before = data.slice(at, countedAt(member));
  for (const entity of member.unit.entities?.values() ?? []) contribute(member, entity);
  data.set(before, at);
}
