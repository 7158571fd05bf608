/**
 * Drift after promotion: e-detectors (Shin, Ramdas & Rinaldo 2023). Null: nothing has changed, that is, every unit's
 * factor has mean at most 1. Alarm when the weighted sum of the processes reaches 1/alpha: the average number of units
 * to a false alarm is then at least 1/alpha, whatever the distribution. STATEFUL: order matters, unlike everything else
 * here. Offered to analysts: no decision rests on it.
 */
import { areWeights, cannot, isProbability, log1pExp, logSumExp, type Result } from '../special.ts';

/** `log` of each bet's running process; -Infinity before the first unit. */
export type Detector = {
  readonly kind: 'shiryaev-roberts' | 'cusum';
  readonly weights: readonly number[];
  readonly logs: readonly number[];
};

/** A fresh detector; weights are at least 0 and sum to at most 1, one for each bet. */
export function startDetector(
  kind: Detector['kind'],
  weights: readonly number[],
): Result<{ readonly detector: Detector }> {
  return areWeights(weights)
    ? { ok: true, detector: { kind, weights, logs: weights.map(() => -Infinity) } }
    : cannot('weights are at least 0 and sum to at most 1');
}

/**
 * One unit: M = (M + 1) L (Shiryaev-Roberts) or max(M, 1) L (CUSUM) for each bet, L = exp(logFactor). Returns the new
 * detector and log of its weighted sum.
 */
export function stepDetector(
  detector: Detector,
  logFactors: readonly number[],
): Result<{ readonly detector: Detector; readonly logM: number }> {
  if (logFactors.length !== detector.logs.length || logFactors.some((log) => Number.isNaN(log) || log === Infinity))
    return cannot('one finite factor for each bet');
  const logs = detector.logs.map(
    (log, j) => (detector.kind === 'cusum' ? Math.max(log, 0) : log1pExp(log)) + (logFactors[j] ?? 0),
  );
  return {
    ok: true,
    detector: { ...detector, logs },
    logM: logSumExp(logs.map((log, j) => log + Math.log(detector.weights[j] ?? 0))),
  };
}

/**
 * log(1 + lam (x - m)/m') for a value x in [0, cap] against a frozen baseline mean m in (0, cap): m' = m for a rise,
 * cap - m for a fall, so that bets lie in (0, 1). Null of a rise: mean at most m; of a fall: at least m.
 */
export function driftLogFactors({
  x,
  mean,
  cap,
  towards,
  bets,
}: {
  readonly x: number;
  readonly mean: number;
  readonly cap: number;
  readonly towards: 'rise' | 'fall';
  readonly bets: readonly number[];
}): Result<{ readonly logFactors: readonly number[] }> {
  if (!(cap > 0 && cap < Infinity) || !isProbability(mean / cap))
    return cannot('the baseline mean lies strictly between 0 and the cap');
  if (!(x >= 0 && x <= cap)) return cannot('a value lies between 0 and the cap');
  if (bets.length === 0 || !bets.every(isProbability)) return cannot('bets lie strictly between 0 and 1');
  const step = towards === 'rise' ? (x - mean) / mean : (mean - x) / (cap - mean);
  return { ok: true, logFactors: bets.map((bet) => Math.log1p(bet * step)) };
}

/**
 * Whether a detector alarms at level `alpha`: log M >= log(1/alpha). Average run length to a false alarm at least
 * 1/alpha units.
 */
export const detectorAlarms = (logM: number, alpha: number): boolean =>
  isProbability(alpha) && logM >= -Math.log(alpha);
