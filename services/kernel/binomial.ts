/**
 * P(at least `least` of `trials` succeed) when each does with probability `p`: summed from the top, so that small tails
 * keep their digits. 0 <= least <= trials, whole numbers, trials at most 1,000,000 (one step each); 0 < p < 1.
 */
export function binomialUpperTail(least: number, trials: number, p: number): number {
  // log of p^n; terms fall towards fewer successes by k/(n-k+1) (1-p)/p.
  let logTerm = trials * Math.log(p);
  let sum = 0;
  for (let successes = trials; successes >= least; successes -= 1) {
    sum += Math.exp(logTerm);
    logTerm += Math.log(successes / (trials - successes + 1)) + Math.log1p(-p) - Math.log(p);
  }
  return Math.min(1, sum);
}
