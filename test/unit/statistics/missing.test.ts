/** Missing data as a guardrail that nobody declares: what it sees, what it lets be, and who has the last word. */
import { describe, expect, test } from 'vitest';
import { emptyTestSums, type TestSums } from '../../../services/kernel/evidence.ts';
import { createRandom, seedOf } from '../../../services/simulation/random.ts';
import { evaluateMissing } from '../../../services/statistics/missing.ts';
import { anExperimentFile, aRevision } from '../../support/build.ts';
import { metricLine } from '../../support/metric-line.ts';

const testStart = { kind: 'whole', label: 'whole phase', index: 0, weight: 0.375 } as const;
const refusals = metricLine({ id: 'r', numerator: 'refusals', harm: 0.1, baseline: { mean: 0.2, sd: 0.4 }, cap: 1 });
const errors = metricLine({ id: 'e', numerator: 'errors', harm: 0.1, baseline: { mean: 0.2, sd: 0.4 }, cap: 1 });
const specWith = (metrics: string) => aRevision({}, anExperimentFile({ metrics })).spec;
const refusalSpec = specWith(refusals);
const sums = (change: Partial<TestSums>): TestSums => ({ ...emptyTestSums(), n: 200, known: 200, ...change });

const found = (metrics: string, control: Partial<TestSums>, candidate: Partial<TestSums>) =>
  evaluateMissing(specWith(metrics), () => [{ testStart, control: sums(control), candidate: sums(candidate) }]);
const step = (of: ReturnType<typeof found>, name: string) => of.find((one) => one.step === name);

describe('units lost on the way', () => {
  test('that control does not lose are bad, and named by their step', () => {
    expect(step(found(refusals, {}, { uncalled: 40 }), 'called')).toMatchObject({ status: 'bad', action: 'rollback' });
    expect(step(found(refusals, {}, { unanswered: 40 }), 'answered')).toMatchObject({ action: 'rollback' });
    expect(step(found(refusals, {}, { incomplete: 40 }), 'measured')).toMatchObject({ status: 'bad', action: 'pause' });
  });
  test('in both arms alike are fine, however many', () =>
    expect(step(found(refusals, { uncalled: 150 }, { uncalled: 150 }), 'called')).toMatchObject({
      status: 'fine',
      differs: false,
    }));
  test('by control alone are no harm of the candidate, but the arms differ', () =>
    expect(step(found(refusals, { incomplete: 60 }, {}), 'measured')).toMatchObject({ status: 'fine', differs: true }));
  test('errors that a file tolerates are left to the file', () =>
    expect(step(found(errors, {}, { unanswered: 40 }), 'answered')?.action).toBe('none'));
  test('without entries in both arms nothing is known', () =>
    expect(step(found(refusals, { n: 0 }, {}), 'called')?.status).toBe('unknown'));
});

test('the same losses in both arms raise no alarm, looked at after every tenth unit', () => {
  let alarms = 0;
  for (let seed = 0; seed < 100; seed += 1) {
    const random = createRandom(seedOf(9, seed));
    const chance = (): number => random.next() / 2 ** 32;
    const arms = [sums({ n: 0 }), sums({ n: 0 })] as const;
    let isBad = false;
    for (let unit = 0; unit < 1_000; unit += 1) {
      const arm = arms[chance() < 0.5 ? 0 : 1];
      arm.n += 1;
      if (chance() < 0.2) arm.uncalled += 1;
      if (unit % 10 === 9)
        isBad ||= evaluateMissing(refusalSpec, () => [{ testStart, control: arms[0], candidate: arms[1] }]).some(
          ({ status }) => status === 'bad',
        );
    }
    if (isBad) alarms += 1;
  }
  expect(alarms).toBeLessThanOrEqual(1);
}, 60_000);
