/**
 * Metric aggregates, brought up to date when a flush is taken: each changed unit is moved from what they hold of it to
 * what it is now.
 */
import { totalField, totalLength } from '../kernel/state/kinds.ts';
import type { MetricSums } from './experiment-state.ts';
import { countedAt, type UnitInExperiment } from './unit-state.ts';

const bigSums = [
  'numerator',
  'denominator',
  'numerator2',
  'denominator2',
  'product',
  'knownCalls',
  'unknownCalls',
] as const;
type BigSum = (typeof bigSums)[number];

/** Adds a whole number to a big sum; small ones are collected as numbers first, which costs a tenth. */
function addTo(sums: MetricSums, field: BigSum, index: number, left: number, right: number): void {
  const product = left * right;
  const next = (sums.small[index] ?? 0) + product;
  if (Number.isSafeInteger(next) && Number.isSafeInteger(product)) sums.small[index] = next;
  else sums[field] += BigInt(left) * BigInt(right);
}

/** What was collected since the last flush, in the big sums. */
export function gatherSums(sums: MetricSums): void {
  for (const [index, field] of bigSums.entries()) {
    sums[field] += BigInt(sums.small[index] ?? 0);
    sums.small[index] = 0;
  }
}

/** Moves the unit from what the metric aggregates hold of it to what it is now. */
export function recount(member: UnitInExperiment): void {
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
}

const field = (data: Float64Array, total: number, name: keyof typeof totalField): number =>
  data[total + totalField[name]] ?? 0;

/** A unit that joins (1) or leaves (-1) an arm. */
function countUnit(
  aggregates: readonly MetricSums[] | undefined,
  data: Float64Array,
  from: number,
  sign: 1 | -1,
): void {
  for (const [metric, aggregate] of aggregates?.entries() ?? []) {
    const total = from + totalLength * metric;
    const [y, x] = [field(data, total, 'numerator'), field(data, total, 'denominator')];
    const unknown = field(data, total, 'unknown');
    aggregate.units += sign;
    if (y !== 0) aggregate.firstEvents += sign;
    if (unknown > 0) aggregate.incompleteUnits += sign;
    addTo(aggregate, 'numerator', 0, sign, y);
    addTo(aggregate, 'denominator', 1, sign, x);
    addTo(aggregate, 'numerator2', 2, sign * y, y);
    addTo(aggregate, 'denominator2', 3, sign * x, x);
    addTo(aggregate, 'product', 4, sign * y, x);
    addTo(aggregate, 'knownCalls', 5, sign, field(data, total, 'known'));
    addTo(aggregate, 'unknownCalls', 6, sign, unknown);
  }
}

/** The same unit in the same arm: only the differences, y^2 - y0^2 = (y - y0)(y + y0). */
function moveTotals(
  aggregates: readonly MetricSums[] | undefined,
  data: Float64Array,
  now: number,
  before: number,
): void {
  if (aggregates === undefined) return;
  for (let metric = 0; metric < aggregates.length; metric += 1) {
    const aggregate = aggregates[metric] as MetricSums;
    const [total, counted] = [now + totalLength * metric, before + totalLength * metric];
    moveCalls(aggregate, data, total, counted);
    const [y, x] = [field(data, total, 'numerator'), field(data, total, 'denominator')];
    const [y0, x0] = [field(data, counted, 'numerator'), field(data, counted, 'denominator')];
    if (y === y0 && x === x0) continue;
    if ((y !== 0) !== (y0 !== 0)) aggregate.firstEvents += y !== 0 ? 1 : -1;
    addTo(aggregate, 'numerator', 0, 1, y - y0);
    addTo(aggregate, 'denominator', 1, 1, x - x0);
    addTo(aggregate, 'numerator2', 2, y - y0, y + y0);
    addTo(aggregate, 'denominator2', 3, x - x0, x + x0);
    addTo(aggregate, 'product', 4, y, x);
    addTo(aggregate, 'product', 4, -y0, x0);
  }
}

function moveCalls(aggregate: MetricSums, data: Float64Array, total: number, counted: number): void {
  const [known, unknown] = [field(data, total, 'known'), field(data, total, 'unknown')];
  const [known0, unknown0] = [field(data, counted, 'known'), field(data, counted, 'unknown')];
  if (known !== known0) addTo(aggregate, 'knownCalls', 5, 1, known - known0);
  if (unknown === unknown0) return;
  if (unknown > 0 !== unknown0 > 0) aggregate.incompleteUnits += unknown > 0 ? 1 : -1;
  addTo(aggregate, 'unknownCalls', 6, 1, unknown - unknown0);
}
