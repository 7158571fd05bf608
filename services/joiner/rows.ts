/**
 * What a flush writes: the facts since the last one, then in one block the changed units, entities, cells, experiments and the checkpoint,
 * all true of the same position. Report cells are brought up to date here, from the difference of each changed unit to what they hold.
 */
import { formatRevision, parseRevision } from '../kernel/experiment-json.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { createRowBinaryWriter } from '../kernel/row-binary.ts';
import { type StateRow, writeStateRow } from '../kernel/state-rows.ts';
import {
  createExperimentFold, createMember, createPartitionFold, type EntityFold, type ExperimentFold, entryFields, type OutcomeFold, type PartitionFold, type ReportSums, readCellKey,
  type UnitFold, type UnitInExperiment,
} from './fold-state.ts';
import { contribute, pushClosing } from './entries.ts';
import type { FingerprintMark, SegmentMark } from '../kernel/evidence.ts';

export const factColumns = ['part', 'id', 'ver', 'kind', 'unit', 'occurred_at', 'received_at', 'experiment', 'phase', 'arm', 'name', 'x'] as const;

const factKinds = { exposure: 1, inference: 2, outcome: 3 } as const;

export type FlushRows = { readonly facts: Buffer; readonly factCount: number; readonly state: Buffer; readonly stateCount: number };

/** Adds a whole number to a big sum; small ones are collected as numbers first, which costs a tenth. */
function addTo(sums: ReportSums, field: 'numerator' | 'denominator' | 'numerator2' | 'denominator2' | 'product', index: number, left: number, right: number): void {
  const product = left * right;
  const next = (sums.small[index] ?? 0) + product;
  if (Number.isSafeInteger(next) && Number.isSafeInteger(product)) sums.small[index] = next;
  else sums[field] += BigInt(left) * BigInt(right);
}

function settle(sums: ReportSums): void {
  for (const [index, field] of (['numerator', 'denominator', 'numerator2', 'denominator2', 'product'] as const).entries()) {
    sums[field] += BigInt(sums.small[index] ?? 0);
    sums.small[index] = 0;
  }
}

/** Moves the unit from what the report cells hold of it to what it is now. */
function recount(member: UnitInExperiment): number {
  const { experiment, totals, counted } = member;
  const arm = member.crossed ? -1 : member.arm;
  if (member.countedArm === arm) moveTotals(experiment.reports[arm], totals, counted);
  else {
    countUnit(experiment.reports[member.countedArm], counted, -1);
    countUnit(experiment.reports[arm], totals, 1);
  }
  member.countedArm = arm;
  counted.set(totals);
  return arm;
}

function countUnit(cells: readonly ReportSums[] | undefined, values: Float64Array, sign: 1 | -1): void {
  for (const [metric, cell] of cells?.entries() ?? []) {
    const y = values[2 * metric] ?? 0;
    const x = values[2 * metric + 1] ?? 0;
    cell.units += sign;
    if (y > 0) cell.firstEvents += sign;
    addTo(cell, 'numerator', 0, sign, y);
    addTo(cell, 'denominator', 1, sign, x);
    addTo(cell, 'numerator2', 2, sign * y, y);
    addTo(cell, 'denominator2', 3, sign * x, x);
    addTo(cell, 'product', 4, sign * y, x);
  }
}

/** The same unit in the same arm: only the differences, y^2 - y0^2 = (y - y0)(y + y0). */
function moveTotals(cells: readonly ReportSums[] | undefined, now: Float64Array, before: Float64Array): void {
  if (cells === undefined) return;
  for (let metric = 0; metric < cells.length; metric += 1) {
    const cell = cells[metric] as ReportSums;
    const [y, x, y0, x0] = [now[2 * metric] ?? 0, now[2 * metric + 1] ?? 0, before[2 * metric] ?? 0, before[2 * metric + 1] ?? 0];
    if (y === y0 && x === x0) continue;
    if (y > 0 !== y0 > 0) cell.firstEvents += y > 0 ? 1 : -1;
    addTo(cell, 'numerator', 0, 1, y - y0);
    addTo(cell, 'denominator', 1, 1, x - x0);
    addTo(cell, 'numerator2', 2, y - y0, y + y0);
    addTo(cell, 'denominator2', 3, x - x0, x + x0);
    addTo(cell, 'product', 4, y, x);
    addTo(cell, 'product', 4, -y0, x0);
  }
}

export const experimentBody = (experiment: ExperimentFold): string =>
  JSON.stringify({
    revision: formatRevision(experiment.revision),
    segments: experiment.segments,
    fingerprints: [...experiment.fingerprints],
    armSeen: experiment.armSeen,
    assigned: experiment.assigned,
    events: experiment.events,
    crossovers: experiment.crossovers,
    lateOutcomes: experiment.lateOutcomes,
  });

const entityBody = (entity: EntityFold): string =>
  JSON.stringify({ first: [...entity.firstAt], outcomes: [...entity.outcomes].map(([id, outcome]) => [Buffer.from(id, 'latin1').toString('hex'), outcome]) });

/** `position` must be the end of a message: offset of the next one * 4096. Clears what was touched. */
export function takeFlushRows(partition: PartitionFold, position: number): FlushRows {
  const facts = createRowBinaryWriter();
  for (const fact of partition.facts) {
    facts.uint16(partition.part);
    facts.fixed(fact.id);
    facts.uint64(fact.ver);
    facts.uint8(factKinds[fact.kind]);
    facts.fixed(fact.unit);
    facts.int64(fact.occurredAt);
    facts.int64(fact.receivedAt);
    facts.text(fact.experiment);
    facts.uint32(fact.phase);
    facts.text(fact.arm);
    facts.text(fact.name);
    facts.length(fact.values.length);
    for (const value of fact.values) facts.int64(value);
    facts.row();
  }
  partition.facts.length = 0;
  const state = createRowBinaryWriter();
  const write = (row: StateRow): void => writeStateRow(state, 1, partition.part, position, row);
  const changedReports = new Set<ExperimentFold>();
  for (const member of partition.touchedMembers) {
    const { experiment, unit } = member;
    const arm = recount(member);
    changedReports.add(experiment);
    member.touched = false;
    write({
      kind: 'unit', experiment: experiment.revision.spec.id, phase: experiment.revision.phase, key: unit.id, arm: experiment.arms[arm] ?? '', candidate: experiment.arms[member.arm] ?? '',
      clock: member.firstAt, n: arm < 0 ? 0 : 1, x: member.totals, y: member.entries,
    });
  }
  partition.touchedMembers.clear();
  for (const { unit, entity } of partition.touchedEntities) {
    entity.touched = false;
    write({ kind: 'entity', key: unit.id + entity.id, body: entityBody(entity) });
  }
  partition.touchedEntities.clear();
  for (const id of partition.touchedWaiting) {
    const outcomes = partition.waiting.get(id) ?? [];
    write({ kind: 'pending', key: id, n: outcomes.length, body: JSON.stringify(outcomes.map(({ outcomeId, outcome }) => [Buffer.from(outcomeId, 'latin1').toString('hex'), outcome])) });
  }
  partition.touchedWaiting.clear();
  for (const experiment of partition.experiments.values()) {
    const { spec, phase } = experiment.revision;
    const name = { experiment: spec.id, phase };
    if (changedReports.has(experiment)) {
      for (const [arm, cells] of experiment.reports.entries()) {
        for (const [metric, cell] of cells.entries()) {
          settle(cell);
          write({
            kind: 'report', ...name, key: `${arm}/${metric}`, arm: experiment.arms[arm] ?? '', metric: spec.metrics[metric]?.id ?? '', slot: metric, n: cell.units, x: [cell.firstEvents],
            xx: [cell.numerator, cell.denominator, cell.numerator2, cell.denominator2, cell.product],
          });
        }
      }
    }
    for (const key of experiment.touchedCells) {
      const { segment, candidate, side, metric } = readCellKey(experiment, key);
      const sums = experiment.cells.get(key);
      const candidateArm = experiment.arms[experiment.candidates[candidate] ?? -1] ?? '';
      if (sums === undefined) continue;
      const x = [sums.s, sums.sv, sums.svv, ...sums.harm, ...sums.win];
      if (!x.every(Number.isSafeInteger)) {
        throw new PipelineError('SUM_OUT_OF_RANGE', `entry sums of ${spec.id}, segment ${segment} in partition ${partition.part} passed 2^53`, { cure: 'spread the unit log over more partitions' });
      }
      write({
        kind: 'entry', ...name, key: String(key), arm: side === 1 ? candidateArm : (experiment.arms[experiment.control] ?? ''), metric: spec.metrics[metric]?.id ?? '', candidate: candidateArm,
        slot: segment, n: sums.n, x,
      });
    }
    experiment.touchedCells.clear();
    if (experiment.touched) write({ kind: 'experiment', ...name, body: experimentBody(experiment) });
    experiment.touched = false;
  }
  write({ kind: 'checkpoint', clock: partition.clock });
  return { factCount: facts.rows, facts: facts.take(), stateCount: state.rows, state: state.take() };
}

/** A state row as the loader reads it: 64-bit numbers as text, keys as hex. */
export type LoadedRow = {
  readonly kind: string; readonly experiment: string; readonly phase: number; readonly key: string; readonly ver: string; readonly arm: string; readonly candidate: string;
  readonly slot: number; readonly clock: string; readonly n: string; readonly x: readonly string[]; readonly xx: readonly string[]; readonly y: readonly string[]; readonly body: string;
};

const latin1 = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');

type ExperimentBody = {
  revision: string; segments: SegmentMark[]; fingerprints: [string, FingerprintMark][]; armSeen: number[]; assigned: number[]; events: number; crossovers: number; lateOutcomes: number;
};

/**
 * The partition as of its checkpoint, from rows of table `state` (highest ver per key) and the ids of accepted records below it.
 * `ids`: event id and unit, 16 bytes each as hex.
 */
export function restorePartition(part: number, rows: readonly LoadedRow[], ids: Iterable<readonly [string, string]>): PartitionFold {
  const partition = createPartitionFold(part);
  const checkpoint = rows.find((row) => row.kind === 'checkpoint');
  if (checkpoint === undefined) return partition;
  partition.position = Number(checkpoint.ver);
  partition.clock = Number(checkpoint.clock);
  const newest = new Map<string, number>();
  for (const row of rows) if (row.kind === 'experiment') newest.set(row.experiment, Math.max(newest.get(row.experiment) ?? 0, row.phase));
  const live = (row: LoadedRow): ExperimentFold | undefined => (newest.get(row.experiment) === row.phase ? partition.experiments.get(row.experiment) : undefined);
  for (const row of rows) {
    if (row.kind !== 'experiment' || newest.get(row.experiment) !== row.phase) continue;
    const body = JSON.parse(row.body) as ExperimentBody;
    const fold = createExperimentFold(parseRevision(body.revision));
    fold.segments.splice(0, 1, ...body.segments);
    for (const [key, mark] of body.fingerprints) fold.fingerprints.set(key, mark);
    fold.armSeen.splice(0, fold.armSeen.length, ...body.armSeen);
    fold.assigned.splice(0, fold.assigned.length, ...body.assigned);
    Object.assign(fold, { events: body.events, crossovers: body.crossovers, lateOutcomes: body.lateOutcomes, touched: false });
    partition.experiments.set(row.experiment, fold);
  }
  const unitOf = (id: string): UnitFold => {
    const unit = partition.units.get(id) ?? { id, experiments: [], entities: undefined };
    partition.units.set(id, unit);
    return unit;
  };
  for (const row of rows) {
    if (row.kind === 'report') restoreReport(live(row), row);
    else if (row.kind === 'entry') restoreEntry(live(row), row);
    else if (row.kind === 'unit') restoreUnit(partition, live(row), unitOf(latin1(row.key)), row);
    else if (row.kind === 'entity') restoreEntity(unitOf(latin1(row.key).slice(0, 16)), latin1(row.key).slice(16), row.body);
    else if (row.kind === 'pending' && Number(row.n) > 0) {
      const outcomes = JSON.parse(row.body) as [string, OutcomeFold][];
      partition.waiting.set(latin1(row.key), outcomes.map(([id, outcome]) => ({ outcomeId: latin1(id), outcome })));
    }
  }
  for (const unit of partition.units.values()) for (const member of unit.experiments) restoreContributions(member);
  for (const [id, unit] of ids) partition.seen.set(latin1(id), latin1(unit));
  return partition;
}

function restoreReport(experiment: ExperimentFold | undefined, row: LoadedRow): void {
  const cell = experiment?.reports[experiment.arms.indexOf(row.arm)]?.[row.slot];
  if (cell === undefined) return;
  const [numerator = 0n, denominator = 0n, numerator2 = 0n, denominator2 = 0n, product = 0n] = row.xx.map(BigInt);
  Object.assign(cell, { units: Number(row.n), firstEvents: Number(row.x[0] ?? 0), numerator, denominator, numerator2, denominator2, product });
}

function restoreEntry(experiment: ExperimentFold | undefined, row: LoadedRow): void {
  const [s = 0, sv = 0, svv = 0, ...bets] = row.x.map(Number);
  experiment?.cells.set(Number(latin1(row.key)), { n: Number(row.n), s, sv, svv, harm: bets.slice(0, 7), win: bets.slice(7, 14) });
}

function restoreUnit(partition: PartitionFold, experiment: ExperimentFold | undefined, unit: UnitFold, row: LoadedRow): void {
  if (experiment === undefined) return;
  const member = createMember(unit, experiment, experiment.arms.indexOf(row.candidate), Number(row.clock));
  member.totals.set(row.x.map(Number));
  member.entries.set(row.y.map(Number));
  member.counted.set(member.totals);
  member.countedArm = row.arm === '' ? -1 : member.arm;
  member.crossed = row.arm === '';
  unit.experiments.push(member);
  for (const [window, group] of experiment.windows.entries()) {
    const starts = new Set(group.metrics.flatMap((metric) => ((member.entries[metric * entryFields + 5] ?? -1) >= 0 ? [member.entries[metric * entryFields + 6] ?? 0] : [])));
    for (const start of starts) pushClosing(partition, { closeAt: start + group.windowMs, member, window });
  }
}

function restoreEntity(unit: UnitFold, id: string, body: string): void {
  const { first, outcomes } = JSON.parse(body) as { first: [string, number][]; outcomes: [string, OutcomeFold][] };
  const entity: EntityFold = { id, firstAt: new Map(first), outcomes: new Map(outcomes.map(([outcomeId, outcome]) => [latin1(outcomeId), outcome])), contribution: new Map(), touched: false };
  unit.entities ??= new Map();
  unit.entities.set(id, entity);
}

/** What each entity adds is a function of its outcomes: counted again, without touching the unit's totals that already hold it. */
function restoreContributions(member: UnitInExperiment): void {
  const before = Float64Array.from(member.totals);
  for (const entity of member.unit.entities?.values() ?? []) contribute(member, entity);
  member.totals.set(before);
}
