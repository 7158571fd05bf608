/**
 * Where tests start, and what each may spend. A test is kept from the phase's start, from every scheduled slot and from
 * every configuration change; the union bound over their weights needs nothing of how they depend on each other.
 * Weights sum to 1: 3/8 whole phase, 1/2 schedule (telescoping), 1/8 configuration changes.
 */
import { addTestSums, copyTestSums, type TestSums, emptyTestSums } from '../../kernel/evidence.ts';

export const wholePhaseWeight = 3 / 8;

/** v_k of scheduled slot k >= 1; `planned` = horizon / restart_every, above 0. Goes on beyond the plan. */
export const slotWeight = (slot: number, planned: number): number =>
  (0.5 * planned) / ((slot - 1 + planned) * (slot + planned));

/** Weight of the j-th configuration change of the phase, j >= 1. */
export const configurationChangeWeight = (rank: number): number => 1 / (8 * rank * (rank + 1));

/**
 * Suffix sums of a difference array: element j holds the sums of the test that starts at segment j, each unit counted
 * once.
 */
export function suffixSums(differences: readonly (TestSums | undefined)[]): TestSums[] {
  const suffix: TestSums[] = new Array(differences.length);
  const running = emptyTestSums();
  for (let j = differences.length - 1; j >= 0; j -= 1) {
    const difference = differences[j];
    if (difference) addTestSums(running, difference);
    suffix[j] = copyTestSums(running);
  }
  return suffix;
}
