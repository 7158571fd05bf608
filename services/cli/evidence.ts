/** A decision's evidence as people read it, and its arithmetic done again from nothing but itself. */
import type { Interval, MissingEvaluation } from '../kernel/evaluation.ts';
import type { TestSums } from '../kernel/evidence.ts';
import { fixedPoint } from '../kernel/bets.ts';
import { logEOfSums } from '../statistics/index.ts';

/** What `control` writes as canonical JSON (decide.ts, evidenceOf); keys that a rule has no use for are absent. */
export type Evidence = {
  readonly srm?: { readonly logE: number; readonly counts: Readonly<Record<string, number>> };
  readonly metric?: string;
  readonly candidate?: string;
  readonly arms?: readonly {
    readonly arm: string;
    readonly units: number;
    readonly firstEvents: number;
    readonly numerator: string;
    readonly denominator: string;
    readonly entries: number;
    readonly known?: number;
    readonly incomplete?: number;
    readonly uncalled?: number;
    readonly knownCalls?: number;
    readonly unknownCalls?: number;
  }[];
  readonly engine?: 'betting' | 'first-event';
  readonly testStart?: {
    readonly kind: string;
    readonly label: string;
    readonly index: number;
    readonly weight: number;
  };
  readonly logE?: number;
  readonly weightedLogE?: number;
  readonly control?: TestSums;
  readonly test?: TestSums;
  readonly design?: {
    readonly q: number;
    readonly center: number;
    readonly design: number;
    readonly variance: number;
    readonly tolerance: number;
    readonly harm: readonly number[];
    readonly win: readonly number[];
    readonly weights: readonly number[];
  };
  readonly interval?: Interval;
  readonly conditionalPower?: number;
  readonly alsoHarmed?: readonly {
    readonly metric: string;
    readonly weightedLogE: number;
    readonly testStart: string;
  }[];
  readonly labels?: readonly string[];
  readonly missing?: MissingEvaluation;
  readonly slo?: {
    readonly id: string;
    readonly arm: string;
    readonly metric: string;
    readonly killed: boolean;
    readonly test?: {
      readonly units: number;
      readonly bad: number;
      readonly logE: number;
      readonly weightedLogE: number;
      readonly threshold: number;
      readonly testStart: { readonly label: string; readonly weight: number };
    };
  };
  readonly baselines?: Readonly<Record<string, { readonly mean: number; readonly sd: number }>>;
  readonly reason?: string;
};

export type Side = 'harm' | 'win';
/** Which of the two sums a decision rests on: a win on `win`, everything else on `harm`. */
export const sideOf = (reasonCode: string): Side => (reasonCode === 'WIN' ? 'win' : 'harm');

/** One bet over both arms: its size, its prior weight, and the log of what one unit of money has become. */
export function betsOf(
  evidence: Evidence,
  side: Side,
): readonly { readonly lambda: number; readonly weight: number; readonly log: number }[] {
  const { design, control, test } = evidence;
  if (design === undefined || control === undefined || test === undefined) return [];
  return design[side].map((lambda, j) => ({
    lambda,
    weight: design.weights[j] ?? 0,
    log: ((control[side][j] ?? 0) + (test[side][j] ?? 0)) / fixedPoint,
  }));
}

/** log e from the sums that the evidence holds, against the log e that it states. */
export function recomputeLogE(evidence: Evidence): { readonly ok: boolean; readonly said: string } {
  const { control, test, engine, logE } = evidence;
  if (control === undefined || test === undefined || logE === undefined)
    return { ok: true, said: 'no test of two arms: nothing to recompute' };
  if (engine === 'first-event') return { ok: true, said: 'the test rests on first events; they are in the arms above' };
  const candidates = (['harm', 'win'] as const)
    .map((side) => logEOfSums(control[side], test[side]))
    .flatMap((outcome) => (outcome.ok ? [outcome.logE] : []));
  const same = candidates.includes(logE);
  return {
    ok: same,
    said: same
      ? `log e ${logE} again from the ${control.n} + ${test.n} entries' sums`
      : `the sums give ${candidates.join(' or ')}, the evidence states ${logE}`,
  };
}
