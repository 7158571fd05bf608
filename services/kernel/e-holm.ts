/**
 * Which hypotheses fall by weighted e-Holm: in falling order of w_k e_k while w_k e_k >= (weights still
 * standing)/alpha. It is Holm's procedure on p = 1/e, the closure of the union bound, so the family-wise error is at
 * most alpha under any dependence and for latched maxima of e-processes too; its first step is the family's own test. A
 * hypothesis without weight never falls.
 */
export function eHolm(
  logEs: readonly number[],
  weights: readonly number[],
  alpha: number,
): { readonly ok: true; readonly rejected: readonly boolean[] } | { readonly ok: false; readonly reason: string } {
  const areWeights =
    weights.every((weight) => weight >= 0) && weights.reduce((sum, weight) => sum + weight, 0) <= 1 + 1e-9;
  if (logEs.length !== weights.length || !areWeights || logEs.some(Number.isNaN) || !(alpha > 0 && alpha < 1))
    return {
      ok: false,
      reason: 'as many weights as e-values, none below 0, together at most 1, alpha between 0 and 1',
    };
  const weighted = logEs.map((logE, k) => (weights[k] === 0 ? -Infinity : logE + Math.log(weights[k] ?? 0)));
  const order = weighted.map((_, k) => k).sort((a, b) => (weighted[b] ?? 0) - (weighted[a] ?? 0));
  const rejected = logEs.map(() => false);
  let standing = weights.reduce((sum, weight) => sum + weight, 0);
  for (const k of order) {
    if ((weights[k] ?? 0) === 0 || !((weighted[k] ?? -Infinity) >= Math.log(standing / alpha))) break;
    rejected[k] = true;
    standing = Math.max(0, standing - (weights[k] ?? 0));
  }
  return { ok: true, rejected };
}
