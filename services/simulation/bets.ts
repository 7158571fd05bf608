/**
 * The product's own bets (`kernel/bets.ts`, `statistics`) as tables that a simulated unit looks up. Nothing is computed
 * a second way here.
 */
import { type BetDesign, betLogs, fixedPoint, scaledValue } from '../kernel/bets.ts';
import type { MetricSpec } from '../kernel/experiment.ts';
import { toFactorTable, type FactorTable } from './mixture.ts';

/** Row of a unit: `pointsPerArm` rows for control, then as many for the candidate; revisions one after the other. */
export const rowOf = (pointsPerArm: number, revision: number, isCandidate: boolean, point: number): number =>
  (revision * 2 + (isCandidate ? 1 : 0)) * pointsPerArm + point;

/**
 * One stretch of the phase: its frozen bets and what a unit may be worth in it; every list of points is equally long.
 * In the metric's own unit.
 */
export type BetRevision = {
  readonly design: BetDesign;
  readonly pointsA: readonly number[];
  readonly pointsB: readonly number[];
};

/** Betting. Log factors are the product's, whole multiples of 2^-32. */
export function bettingTable(revisions: readonly BetRevision[], metric: MetricSpec, side: 'harm' | 'win'): FactorTable {
  const row =
    (design: BetDesign, isCandidate: boolean) =>
    (point: number): number[] =>
      betLogs(design, isCandidate, scaledValue(metric, point), side).map((log) => log / fixedPoint);
  return toFactorTable(
    revisions.flatMap(({ design, pointsA, pointsB }) => [
      ...pointsA.map(row(design, false)),
      ...pointsB.map(row(design, true)),
    ]),
  );
}

/**
 * First events: one in control or in the candidate, per revision's allocation q: log R [candidate] - log(1 + q (R -
 * 1)); `win` takes reciprocals.
 */
export function firstEventTable(
  allocations: readonly number[],
  ratios: readonly number[],
  side: 'harm' | 'win',
): FactorTable {
  const factors = ratios.map((ratio) => (side === 'harm' ? ratio : 1 / ratio));
  return toFactorTable(
    allocations.flatMap((q) => [
      factors.map((r) => -Math.log1p(q * (r - 1))),
      factors.map((r) => Math.log(r) - Math.log1p(q * (r - 1))),
    ]),
  );
}
