/** A step up wants evidence of life: recent calls of every arm, not a clock that moves. */
import { describe, expect, test } from 'vitest';
import { anExperimentFile, anInference, aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryPath } from '../../support/memory-path.ts';
import { call, errorRate, play } from './play.ts';

describe('a ramp', () => {
  const ramp = '  ramp: { coverage: [25, 50, 100], hold: 6h, min_units: 50 }\n';
  const silentFrom = (hours: number, extra = ramp) =>
    play({
      metrics: errorRate,
      extra,
      visit: (path, visitor) => {
        if (visitor.variant === 'B' && visitor.at > monday + hours * hour) return;
        path.send(call(visitor));
      },
    });
  test('does not climb for a candidate that has fallen silent, though the file says nothing of it', () => {
    const found = silentFrom(5.5);
    expect(found.decisions.filter(({ action }) => action === 'advance')).toEqual([]);
    expect(found.evaluation.quiet.arms).toContain('B');
  });
  test('climbs while both are called', () =>
    expect(silentFrom(Infinity).decisions[0]).toMatchObject({ action: 'advance', reasonCode: 'RAMP_NEXT' }));
  test('does not climb on ticks alone: a clock that moves is no sign of life', () => {
    const path = createMemoryPath(2);
    path.apply(aRevision({}, anExperimentFile({ metrics: errorRate, extra: ramp })));
    for (let user = 0; user < 200; user += 1)
      path.send(anInference({ user: `u${user}`, variant: user % 2 === 0 ? 'A' : 'B', at: monday + user * 60_000 }));
    expect(path.decide('exp-test')).toBeUndefined();
    for (let hours = 4; hours <= 12; hours += 1) {
      path.tick(monday + hours * hour);
      expect(path.decide('exp-test')).toBeUndefined();
    }
  });
});
