/**
 * A partition as of its checkpoint, from rows of table `state`: first everything but its units, then units as they are
 * needed. Several versions of a key may come: the highest `ver` counts.
 */
import type { ConfigurationChange, SegmentStart } from '../kernel/evidence.ts';
import { parseRevision } from '../kernel/experiment-json.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { bucketOfSlot } from '../kernel/state-rows.ts';
import type { EpochMs } from '../kernel/time.ts';
import { contribute } from './entries.ts';
import {
  countedAt,
  createExperimentState,
  createMember,
  createPartitionState,
  createUnit,
  type EntityState,
  entriesAt,
  type ExperimentState,
  type OutcomeState,
  type PartitionState,
  type UnitState,
  type UnitInExperiment,
} from './partition-state.ts';
import { erasedBody, foldRevision } from './rows.ts';

/** A state row as the loader reads it: 64-bit numbers as text, keys as hex. */
export type LoadedRow = {
  readonly kind: string;
  readonly experiment: string;
  readonly phase: number;
  readonly key: string;
  readonly position: string;
  readonly arm: string;
  readonly candidate: string;
  readonly slot: number;
  readonly clock: string;
  readonly n: string;
  readonly x: readonly string[];
  readonly xx: readonly string[];
  readonly y: readonly string[];
  readonly body: string;
};

export const latin1 = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');
export const hexOf = (id: string): string => Buffer.from(id, 'latin1').toString('hex');

type ExperimentBody = {
  revision: string;
  segments: SegmentStart[];
  configurationChanges: [string, ConfigurationChange][];
  armSeen: number[];
  assigned: number[];
  events: number;
  crossovers: number;
  lateOutcomes: number;
  lastSeenAt?: readonly number[];
};

/**
 * Everything but units, entities and event ids. `rows` of those kinds are passed over. A partition without a checkpoint
 * is empty.
 */
export function restorePartition(partitionId: number, rows: readonly LoadedRow[], cold: boolean): PartitionState {
  const partition = createPartitionState(partitionId, cold);
  const checkpoint = rows.find((row) => row.kind === 'checkpoint');
  if (checkpoint === undefined) return partition;
  if (checkpoint.slot !== foldRevision) {
    throw new PipelineError(
      'STATE_CORRUPT',
      `partition ${partitionId} was folded by revision ${checkpoint.slot} of the fold, this is revision ${foldRevision}`,
      {
        hint: 'fold the unit log again with this version: `npx tripline rebuild`; or run the version that wrote it',
      },
    );
  }
  partition.position = Number(checkpoint.position);
  partition.clock = Number(checkpoint.clock);
  const newest = new Map<string, number>();
  for (const row of rows)
    if (row.kind === 'experiment') newest.set(row.experiment, Math.max(newest.get(row.experiment) ?? 0, row.phase));
  for (const row of rows) {
    if (row.kind !== 'experiment' || newest.get(row.experiment) !== row.phase) continue;
    const body = JSON.parse(row.body) as ExperimentBody;
    const fold = createExperimentState(parseRevision(body.revision));
    fold.segments.splice(0, 1, ...body.segments);
    for (const [key, mark] of body.configurationChanges) fold.configurationChanges.set(key, mark);
    fold.armSeen.splice(0, fold.armSeen.length, ...body.armSeen);
    fold.assigned.splice(0, fold.assigned.length, ...body.assigned);
    fold.lastSeenAt.splice(0, fold.lastSeenAt.length, ...fold.arms.map((_, arm) => body.lastSeenAt?.[arm] ?? 0));
    Object.assign(fold, {
      events: body.events,
      crossovers: body.crossovers,
      lateOutcomes: body.lateOutcomes,
      touched: false,
    });
    partition.experiments.set(row.experiment, fold);
  }
  for (const row of rows) {
    if (row.kind === 'report') restoreMetricAggregate(liveExperiment(partition, row), row);
    else if (row.kind === 'entry') restoreTestAggregate(liveExperiment(partition, row), row);
    else if (row.kind === 'pending' && Number(row.n) > 0) {
      const outcomes = JSON.parse(row.body) as [string, OutcomeState][];
      const expiresAt = Number(row.clock);
      partition.waiting.set(latin1(row.key), {
        expiresAt,
        outcomes: outcomes.map(([id, outcome]) => ({ outcomeId: latin1(id), outcome })),
      });
      partition.expiring.push(expiresAt, latin1(row.key));
    }
  }
  return partition;
}

/** Rows of earlier phases stay what they are; only the newest phase of an experiment is folded. */
function liveExperiment(
  partition: PartitionState,
  row: { readonly experiment: string; readonly phase: number },
): ExperimentState | undefined {
  const experiment = partition.experiments.get(row.experiment);
  return experiment?.revision.phase === row.phase ? experiment : undefined;
}

function restoreMetricAggregate(experiment: ExperimentState | undefined, row: LoadedRow): void {
  const aggregate = experiment?.metricAggregates[experiment.arms.indexOf(row.arm)]?.[row.slot];
  if (aggregate === undefined) return;
  const [numerator = 0n, denominator = 0n, numerator2 = 0n, denominator2 = 0n, product = 0n] = row.xx.map(BigInt);
  Object.assign(aggregate, {
    units: Number(row.n),
    firstEvents: Number(row.x[0] ?? 0),
    numerator,
    denominator,
    numerator2,
    denominator2,
    product,
  });
}

function restoreTestAggregate(experiment: ExperimentState | undefined, row: LoadedRow): void {
  const [s = 0, sv = 0, svv = 0, ...bets] = row.x.map(Number);
  experiment?.testAggregates.set(Number(latin1(row.key)), {
    n: Number(row.n),
    s,
    sv,
    svv,
    harm: bets.slice(0, 7),
    win: bets.slice(7, 14),
  });
}

/** The highest version of each key. */
function newestRows(rows: readonly LoadedRow[]): LoadedRow[] {
  const newest = new Map<string, LoadedRow>();
  for (const row of rows) {
    const at = `${row.kind}/${row.experiment}/${row.phase}/${row.key}`;
    const known = newest.get(at);
    if (known === undefined || Number(known.position) < Number(row.position)) newest.set(at, row);
  }
  return [...newest.values()];
}

/**
 * Makes units resident from their rows of kinds unit and entity. Due times of their open entries are the caller's: the
 * queue may hold them.
 */
export function restoreUnits(partition: PartitionState, rows: readonly LoadedRow[]): UnitState[] {
  const restored = new Map<string, UnitState>();
  for (const row of newestRows(rows)) {
    const id = latin1(row.key.slice(0, 32));
    let unit = restored.get(id);
    if (unit === undefined) {
      unit = createUnit(id);
      restored.set(id, unit);
      partition.units.set(id, unit);
    }
    if (unit.bucket < 0) unit.bucket = bucketOfSlot(row.slot);
    if (row.kind === 'unit') restoreMember(liveExperiment(partition, row), unit, row);
    else if (row.body === erasedBody) unit.erased = true;
    else if (row.body !== '') restoreEntity(unit, latin1(row.key.slice(32)), row.body);
  }
  for (const unit of restored.values()) for (const member of unit.experiments) restoreContributions(member);
  return [...restored.values()];
}

function restoreMember(experiment: ExperimentState | undefined, unit: UnitState, row: LoadedRow): void {
  if (experiment === undefined) return;
  const member = createMember(unit, experiment, experiment.arms.indexOf(row.candidate), Number(row.clock));
  const { data, at } = member;
  for (let index = 0; index < row.x.length; index += 1) data[at + index] = Number(row.x[index]);
  data.copyWithin(countedAt(member), at, countedAt(member));
  const entries = entriesAt(member);
  for (let index = 0; index < row.y.length; index += 1) data[entries + index] = Number(row.y[index]);
  member.countedArm = row.arm === '' ? -1 : member.arm;
  member.crossed = row.arm === '';
  unit.experiments.push(member);
}

function restoreEntity(unit: UnitState, id: string, body: string): void {
  const { first, outcomes } = JSON.parse(body) as { first: [string, EpochMs][]; outcomes: [string, OutcomeState][] };
  const entity: EntityState = {
    id,
    firstAt: new Map(first),
    outcomes: new Map(outcomes.map(([outcomeId, outcome]) => [latin1(outcomeId), outcome])),
    contribution: new Map(),
    touched: false,
  };
  unit.entities ??= new Map();
  unit.entities.set(id, entity);
}

/**
 * What each entity adds is a function of its outcomes: counted again, without touching the unit's totals that already
 * hold it.
 */
function restoreContributions(member: UnitInExperiment): void {
  const { data, at } = member;
  const before = data.slice(at, countedAt(member));
  for (const entity of member.unit.entities?.values() ?? []) contribute(member, entity);
  data.set(before, at);
}
