import { describe, expect, test } from 'vitest';
import { decide } from '../../../services/control/index.ts';
import { anExperimentFile, anInference, aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryPath } from '../../support/memory-path.ts';

/** Control is called every hour for `hours`; the candidate until `candidateUntil`. */
function silentAfter(candidateUntil: number, hours = 6, extra = '  health: { no_traffic: 2h }\n') {
  const path = createMemoryPath(2);
  path.apply(aRevision({}, anExperimentFile({ extra })));
  for (let at = 0; at <= hours; at += 1) {
    path.send(anInference({ user: `a${at}`, variant: 'A', at: monday + at * hour }));
    if (at <= candidateUntil) path.send(anInference({ user: `b${at}`, variant: 'B', at: monday + at * hour }));
  }
  path.tick(monday + hours * hour);
  return path.look('exp-test');
}

describe('an arm without traffic while another has some', () => {
  test('is silent after no_traffic, and makes the phase stale', () => {
    const look = silentAfter(3);
    expect(look.silent).toEqual(['B']);
    expect(decide(look, []).state).toBe('STALE');
  });
  test('is not before', () => expect(silentAfter(4).silent).toEqual([]));
  test("counts from the phase's start when it never had any", () => expect(silentAfter(-1, 3).silent).toEqual(['B']));
  test("is nobody's business when the file does not say", () => expect(silentAfter(-1, 6, '').silent).toEqual([]));
});
