/**
 * From a vector's method name and inputs to the library's answer, in the shape the vector expects. A refusal becomes
 * NaN, which no vector expects.
 */
import * as lib from '../../services/statistics/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: each method has inputs of its own shape, told by the file
export type Inputs = any;
export const number = (outcome: lib.Outcome): number => (outcome.ok ? outcome.logE : Number.NaN);
function pick<T, K extends keyof T>(result: lib.Result<T>, key: K): T[K] {
  if (!result.ok) throw new Error(result.reason);
  return (result as { ok: true } & T)[key];
}

const tuned = (i: Inputs, sides: lib.Sides): number => pick(lib.mixtureRho(i.v_opt, i.alpha_opt, sides), 'rho');
/** Peers tune r for a clock of any score: rho(v_opt) - gh, at least gh/1000. */
const boundedR = (i: Inputs, sides: lib.Sides): number => Math.max(tuned(i, sides) - i.g * i.h, 1e-3 * i.g * i.h);
const bounded = (i: Inputs, sides: lib.Sides) => ({ s: i.S, v: i.V, down: i.g, up: i.h, r: boundedR(i, sides), sides });
const mixture =
  (sides: lib.Sides) =>
  (i: Inputs): number =>
    number(lib.logEOfNormalMixture(i.S, i.V, tuned(i, sides), sides));
const mixtureBound =
  (sides: lib.Sides) =>
  (i: Inputs): number =>
    pick(lib.normalMixtureBound(i.V, i.alpha, tuned(i, sides), sides), 'bound');

/** "1..1000" or a list. */
const values = (given: string | number[]): number[] => {
  if (Array.isArray(given)) return given;
  const [from = 0, to = 0] = given.split('..').map(Number);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
};

function arms(i: Inputs): lib.GrowthbookArms {
  const [a, b] = [i.a ?? i.control, i.b ?? i.treatment];
  const mean = (arm: Inputs): lib.MeanSums => ({ units: arm.n, sum: arm.sum, sumSquares: arm.sum_squares });
  const rate = (arm: Inputs) => ({ units: arm.n, sum: arm.sum });
  return i.kind === 'proportion' || a.sum_squares === undefined
    ? { kind: 'proportion', control: rate(a), candidate: rate(b) }
    : { kind: 'mean', control: mean(a), candidate: mean(b) };
}
const infinite = (x: number): number | string => (x === Infinity ? 'inf' : x === -Infinity ? '-inf' : x);
function answer(result: lib.Result<lib.GrowthbookAnswer>): unknown {
  if (!result.ok) throw new Error(result.reason);
  const { estimate, lower, upper, standardError, p } = result;
  return { est: estimate, ci: [infinite(lower), infinite(upper)], lower, upper, se: standardError, p };
}
const fixed =
  (difference: lib.Difference, tail: lib.Tail) =>
  (i: Inputs): unknown =>
    answer(lib.growthbookFixed(arms(i), { difference, alpha: i.alpha, tail }));
const sequential =
  (difference: lib.Difference, tail: lib.Tail) =>
  (i: Inputs): unknown =>
    answer(lib.growthbookSequential(arms(i), { difference, alpha: i.alpha, tail, tuning: i.n_tune }));

function halfNormalScore(i: Inputs): unknown {
  const moments = (units: number, sum: number, sumSquares: number): lib.ArmMoments =>
    pick({ ok: true as const, arm: unwrap(lib.momentsOfMean({ units, sum, sumSquares })) }, 'arm');
  const epochs = i.epochs.map((e: Inputs) => ({
    control: moments(e.nA, e.sA, e.qA),
    candidate: moments(e.nB, e.sB, e.qB),
  }));
  const score = unwrap(lib.stratifiedScore(epochs));
  const total = (key: string): number => i.epochs.reduce((sum: number, e: Inputs) => sum + e[key], 0);
  // What ignoring revisions would say: the pooled two-proportion z, variance p(1-p).
  const [pa, pb] = [total('sA') / total('nA'), total('sB') / total('nB')];
  const wrong = (pb - pa) / Math.sqrt((pa * (1 - pa)) / total('nA') + (pb * (1 - pb)) / total('nB'));
  return {
    z: score.z,
    n_eff: score.pairs,
    log_e: number(lib.logEOfScore(score, i.side ?? 'harm', { pairs: i.v_opt_pairs, alpha: i.alpha_opt })),
    pooled_z_wrong: wrong,
  };
}
function unwrap<T>(result: lib.Result<T>): T {
  if (!result.ok) throw new Error(result.reason);
  return result as T;
}

/** Every look's log e of a two-sample mSPRT: paired differences of variance 2 sigma^2. */
function msprt(i: Inputs): readonly number[] {
  const tau = i.tau ?? pick(lib.msprtTau(i.alpha, i.sigma, i.truncation), 'tau');
  const variance = 2 * i.sigma * i.sigma;
  const rho = pick(lib.msprtRho(variance, tau), 'rho');
  let sum = 0;
  return i.x.map((x: number, k: number) => {
    sum += x - i.y[k];
    return number(lib.logEOfNormalMixture(sum / Math.sqrt(variance), k + 1, rho, 'two'));
  });
}
const shares = (i: Inputs): number[] => Array.from({ length: i.looks }, (_, k) => (k + 1) / i.looks);
const power2 = (i: Inputs): readonly number[] =>
  pick(
    lib.groupSequentialBounds({ times: i.t, alpha: i.alpha, sides: i.sides, spending: { form: 'power', rho: 2 } }),
    'bounds',
  );
function repeatedInterval(i: Inputs): number[] {
  const [control, candidate] = [i.a, i.b].map((arm) =>
    unwrap(lib.momentsOfMean({ units: arm.n, sum: arm.sum, sumSquares: arm.sum_squares })),
  );
  const score = unwrap(
    lib.stratifiedScore([{ control: control as lib.ArmMoments, candidate: candidate as lib.ArmMoments }]),
  );
  const half = (power2(i)[i.look - 1] ?? Number.NaN) * (Math.sqrt(score.variance) / score.weight);
  return [score.effect - half, score.effect + half];
}

export const asymptoticMethods: Readonly<Record<string, (inputs: Inputs) => unknown>> = {
  'normal_mixture_two_sided.rho': (i) => tuned(i, 'two'),
  'normal_mixture_one_sided.rho': (i) => tuned(i, 'one'),
  'normal_mixture_two_sided.log_e': mixture('two'),
  'normal_mixture_one_sided.log_e': mixture('one'),
  'normal_mixture_two_sided.bound': mixtureBound('two'),
  'normal_mixture_one_sided.bound': mixtureBound('one'),
  'welch_t.relative': fixed('relative', 'two'),
  'welch_t.absolute': fixed('absolute', 'two'),
  'welch_t.one_sided_greater.absolute': fixed('absolute', 'greater'),
  'welch_t.one_sided_greater.relative': fixed('relative', 'greater'),
  'welch_t.one_sided_lesser.absolute': fixed('absolute', 'lesser'),
  'welch_t.one_sided_lesser.relative': fixed('relative', 'lesser'),
  'asymp_cs.two_sided.relative': sequential('relative', 'two'),
  'asymp_cs.two_sided.absolute': sequential('absolute', 'two'),
  'asymp_cs.one_sided_greater.relative': sequential('relative', 'greater'),
  'asymp_cs.one_sided_greater.absolute': sequential('absolute', 'greater'),
  'asymp_cs.one_sided_lesser.relative': sequential('relative', 'lesser'),
  'asymp_cs.one_sided_lesser.absolute': sequential('absolute', 'lesser'),
  'gavi.rho_divisor': (i) => pick(lib.gaviDivisor(i.alpha), 'divisor'),
  'gavi.rho': (i) => [i.n_tune].flat().map((tuning: number) => pick(lib.gaviRho(i.alpha, tuning), 'rho')),
  'gavi.halfwidth_in_se': (i) => pick(lib.gaviHalfWidth(i.t, i.alpha, i.n_tune), 'standardErrors'),
  'two_sample.effective_n': (i) => pick(lib.effectiveN(i.n1, i.n2), 'n'),
  'delayed_start.constant': (i) => pick(lib.delayedStartConstant(i.alpha, i.sides === 1 ? 'one' : 'two'), 'constant'),
  'stratified_score.half_normal.log_e': halfNormalScore,
  'group_sequential.power2.z_bounds': power2,
  'group_sequential.power2.repeated_ci': repeatedInterval,
  'naive_peeking.upper_crossing_probability': (i) =>
    pick(
      lib.crossingProbability(
        shares(i),
        shares(i).map(() => i.z),
      ),
      'probability',
    ),
  'group_sequential.obrien_fleming.level': (i) =>
    pick(
      lib.crossingProbability(
        shares(i),
        shares(i).map((t) => Number.parseFloat(i.z_k) / Math.sqrt(t)),
      ),
      'probability',
    ),
  'msprt.tau': (i) => pick(lib.msprtTau(i.alpha, i.sigma, i.truncation), 'tau'),
  'msprt.normal.lambda': (i) => msprt(i).map(Math.exp),
  'msprt.normal.first_rejection': (i) => msprt(i).findIndex((logE) => logE >= Math.log(1 / i.alpha)) + 1,
  'design_based_ipw.boundary': (i) =>
    pick(lib.normalMixtureBound(i.variance_clock, i.alpha, 1 / i.eta2, 'two'), 'bound'),
};

export const exactMethods: Readonly<Record<string, (inputs: Inputs) => unknown>> = {
  'beta_binomial_mixture_two_sided.log_e': (i) => number(lib.logEOfBoundedScore(bounded(i, 'two'))),
  'beta_binomial_mixture_one_sided.log_e': (i) => number(lib.logEOfBoundedScore(bounded(i, 'one'))),
  'beta_binomial_mixture_two_sided.bound': (i) =>
    pick(lib.boundedScoreBound({ ...bounded(i, 'two'), alpha: i.alpha }), 'bound'),
  'beta_binomial_mixture_one_sided.bound': (i) =>
    pick(lib.boundedScoreBound({ ...bounded(i, 'one'), alpha: i.alpha }), 'bound'),
  bernoulli_confidence_sequence: (i) => {
    const { lower, upper } = unwrap(lib.rateInterval({ bad: i.successes, n: i.n, alpha: i.alpha, tunedFor: i.t_opt }));
    return [lower, upper];
  },
  'quantile_two_sample.p_value': (i) =>
    pick(
      lib.anytimeP(
        number(lib.logEOfQuantile(values(i.a), values(i.b), { p: i.p, tunedFor: i.t_opt, alpha: i.alpha_opt })),
      ),
      'p',
    ),
  'conditional_binomial.one_sided_beta.log_e': (i) =>
    number(
      lib.logEOfFirstEventsBeta({
        side: i.side ?? 'harm',
        allocation: i.alloc_B,
        eventsA: i.events_A,
        eventsB: i.events_B,
        prior: i.prior,
      }),
    ),
  'anytime_valid_logrank.log_e': (i) =>
    number(
      lib.logEOfLogrank(
        i.events.map(([atRiskA, atRiskB, inB]: [number, number, number]) => ({
          atRiskA,
          atRiskB,
          inCandidate: inB === 1,
        })),
        i.hazard_ratios ?? [i.hazard_ratio].flat(),
        i.weights,
      ),
    ),
  'e_merge.weighted_average': (i) => {
    const logE = number(lib.mergeEValues(i.log_e, i.weights));
    return { log_e: logE, reject: logE >= Math.log(1 / i.alpha) };
  },
  'slo.beta_binomial_one_sided.log_e': (i) =>
    number(
      lib.logEOfSlo({
        bad: i.bad,
        units: i.n,
        limit: i.p0,
        ...(i.r === undefined ? {} : { r: i.r }),
        ...(i.t_opt === undefined ? {} : { tunedFor: i.t_opt }),
      }),
    ),
  'special.log_normal_cdf': (i) => lib.logNormalCdf(i.z),
  'special.student_t_upper_tail': (i) => lib.studentTUpperTail(i.t, i.df),
  'special.regularized_incomplete_beta': (i) => lib.regularizedBeta(i.a, i.b, i.x),
};
