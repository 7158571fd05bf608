/** `tripline/statistics`: pure functions over sums, no I/O. */
export { evaluate } from './evaluate.ts';
export { familyWeight } from '../kernel/experiment.ts';
export { learningUnits } from './learned.ts';
export { placeRestarts } from './restarts.ts';
export { type CountsEpoch, logEOfCounts, logEOfSums, logEOfUnits, type Side } from './math/e1.ts';
export { designRatios, designRatioWeights, type FirstEventEpoch, logEOfFirstEvents } from './math/e2.ts';
export { logBayesFactor, logEOfRatio, type RatioEpoch, srmConcentrations } from './math/e4.ts';
export { fingerprintWeight, slotWeight, suffixSums, wholePhaseWeight } from './math/e6.ts';
export { lgamma, logSumExp, type Outcome } from './math/special.ts';
