/**
 * Tests of the tests: the harness of `npm run simulate` tells a broken engine from a right one, on the same visits.
 * Seeded, so the counts never change.
 */
import { describe, expect, test } from 'vitest';
import { clopperPearson } from '../../../services/simulation/limits.ts';
import { brokenCases, compare, steadyRamp } from '../../simulation/broken.ts';
import { alpha } from '../../simulation/engines.ts';

describe('no difference between the arms, a look at every visit', () => {
  const runs = 120;
  test.each(brokenCases)('$name: $why', (mistake) => {
    const { right, broken } = compare(mistake, 4, runs);
    console.log(`${mistake.name}: ${broken} of ${runs} false alarms, done right ${right}`);
    // Refuted as `npm run simulate` refutes: even the lower limit is above alpha. The right engine is not.
    expect(clopperPearson(broken, runs).lower).toBeGreaterThan(2 * alpha);
    expect(clopperPearson(right, runs).lower).toBeLessThanOrEqual(alpha);
  });
  test('pooling a ramp fails for the moving baseline, not for being asymptotic', () =>
    expect(clopperPearson(compare(steadyRamp, 4, runs).broken, runs).lower).toBeLessThanOrEqual(alpha));
});
