/**
 * `tripline/statistics`: pure functions over sums, no I/O. Every answer is `{ ok: true, ... }` or
 * `{ ok: false, reason }`. From `math/` comes what decides; `math/library/` is offered to analysts, no decision uses
 * it.
 */
export { eHolm } from '../kernel/e-holm.ts';
export { metricWeight } from '../kernel/experiment.ts';
export { evaluate, usesFirstEvents } from './evaluate.ts';
export { learningUnits } from './learned.ts';
export { findReversals, type MixShift, type Reversal } from './simpson.ts';
export {
  findSlices,
  sliceAlpha,
  type SliceDifference,
  type SliceFinding,
  type SliceFindings,
  type SliceKind,
  type SliceStatus,
  type SliceSums,
} from './slices.ts';
export { placeTestStarts } from './test-starts.ts';
export {
  betaBinomialTuning,
  boundedScoreBound,
  logEOfBoundedScore,
  logEOfRate,
  rateInterval,
} from './math/beta-binomial.ts';
export {
  type BudgetShape,
  budgetThreshold,
  type Random,
  simulateSupremum,
  simulateThresholds,
} from './math/library/budget.ts';
export { logBeta, logRegularizedBeta, logRegularizedBetaComplement, regularizedBeta } from './math/beta.ts';
export { type Detector, detectorAlarms, driftLogFactors, startDetector, stepDetector } from './math/library/drift.ts';
export { dkwBand, dkwConstant, dkwRadius, dkwShift } from './math/library/dkw.ts';
export {
  type CountsRevision,
  countsInterval,
  logEOfCounts,
  logEOfSums,
  logEOfUnits,
  type Side,
} from './math/betting.ts';
export {
  designRatios,
  designRatioWeights,
  type FirstEventRevision,
  logEOfFirstEvents,
  logEOfFirstEventsBeta,
  rateRatioInterval,
  type RatioLimit,
} from './math/first-event.ts';
export { logBayesFactor, logEOfRatio, type RatioRevision, srmConcentrations } from './math/sample-ratio.ts';
export { configurationChangeWeight, slotWeight, suffixSums, wholePhaseWeight } from './math/test-start-weights.ts';
export { gaviDivisor, gaviHalfWidth, gaviRho } from './math/library/eppo.ts';
export { crossingProbability, groupSequentialBounds, type Spending, spent } from './math/library/group-sequential.ts';
export {
  type Difference,
  growthbookFixed,
  type GrowthbookAnswer,
  type GrowthbookArms,
  growthbookSequential,
  type Tail,
} from './math/library/growthbook.ts';
export { bucketLower, bucketOf, type Histogram, histogramSize } from './math/library/histogram.ts';
export { logEOfLogrank, type RiskEvent } from './math/library/logrank.ts';
export { anytimeP, eBenjaminiHochberg, intersect, mergeEValues } from './math/library/merge.ts';
export {
  type AdjustedSums,
  type ArmMoments,
  effectiveN,
  type MeanSums,
  type Moments,
  momentsAdjusted,
  momentsOfMean,
  momentsOfRate,
  momentsOfRatio,
  type RatioSums,
  skewnessOfSums,
} from './math/moments.ts';
export {
  logEOfNormalMixture,
  mixtureRho,
  msprtRho,
  msprtTau,
  normalMixtureBound,
  type Sides,
} from './math/normal-mixture.ts';
export { logNormalCdf, normalCdf, normalQuantile, normalQuantileOfLog } from './math/normal.ts';
export {
  logEOfQuantile,
  logEOfQuantileHistogram,
  quantileInterval,
  type QuantileTuning,
} from './math/library/quantile.ts';
export {
  delayedStartConstant,
  delayedStartRejects,
  effectInterval,
  type GateArm,
  logEOfScore,
  type Score,
  type ScoreRevision,
  type ScoreGate,
  scoreGates,
  type ScoreTuning,
  stratifiedScore,
} from './math/score.ts';
export { hardKillAlpha, logEOfSlo, sloBound } from './math/slo.ts';
export { type Interval, lgamma, logSumExp, type Outcome, type Refusal, type Result } from './math/special.ts';
export { lambertWm1, logStudentTUpperTail, studentTQuantile, studentTUpperTail } from './math/student.ts';
