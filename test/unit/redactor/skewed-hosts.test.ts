/** Hosts whose clocks are wrong by hours, or jump: nothing that is decided changes, and the skew is shown. */
import { describe, expect, test } from 'vitest';
import { decide } from '../../../services/control/index.ts';
import { readExperimentFile } from '../../../services/cli/read-file.ts';
import { planRevision } from '../../../services/control/index.ts';
import { createRandom } from '../../../services/demo/story.ts';
import { readArrivals } from '../../../services/replay/read-arrivals.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import { anEvaluation, anInference, anOutcome, aMetric, aRevision, hour, monday } from '../../support/build.ts';
import { realData } from '../../support/real-data.ts';
import { playWithSkew, type Played, type SkewOf } from '../../support/skewed-hosts.ts';

const skews: readonly [string, SkewOf][] = [
  ['canary hosts three hours ahead', (service) => (service === 'app-B' ? 3 * hour : 0)],
  ['canary hosts three hours behind', (service) => (service === 'app-B' ? -3 * hour : 0)],
  ['the desk three hours ahead, control one behind', (name) => ({ desk: 3 * hour, 'app-A': -hour })[name] ?? 0],
  [
    'every clock jumping every few minutes between -3 h and +3 h',
    (service, at) => (((Math.floor(at / 420_000) * 7919 + service.length * 104_729) % 21_601) - 10_800) * 1000,
  ],
];

/** Calls of 500 users about a ticket each, which is resolved and, of the candidate's, reopened more often. */
function reopenings(): Arrival[] {
  const random = createRandom(13);
  const arrivals: Arrival[] = [];
  for (let n = 0; n < 500; n += 1) {
    const at = monday + n * 60_000;
    const isB = n % 2 === 1;
    const ticket = `T${n}`;
    arrivals.push(anInference({ user: `u${n}`, variant: isB ? 'B' : 'A', ticket, at, event_id: `e${n}` }));
    const resolved = at + 60_000 + Math.floor(random() * hour);
    arrivals.push(anOutcome({ ticket, outcome_id: `s${n}`, at: resolved }));
    if (random() < (isB ? 0.6 : 0.05))
      arrivals.push(anOutcome({ ticket, outcome_id: `r${n}`, kind: 'ticket_reopened', at: resolved + 60_000 }));
  }
  return arrivals.sort((a, b) => a.arrivedAt - b.arrivedAt);
}

const totals = ({ last }: Played) =>
  last.metrics.map(({ metric, arms }) => [metric, arms.map(({ arm, units, estimate }) => [arm, units, estimate])]);

describe('what is decided of reopened tickets', () => {
  const revision = aRevision();
  const arrivals = reopenings();
  const truth = playWithSkew(revision, arrivals, { skewOf: () => 0, lookEvery: 100 });

  test.each(skews)('%s', (_name, skewOf) => {
    const played = playWithSkew(revision, arrivals, { skewOf, lookEvery: 100 });
    expect([played.decisions, played.after]).toEqual([truth.decisions, truth.after]);
    expect(totals(played)).toEqual(totals(truth));
  });

  test('true clocks: a rollback because of them', () =>
    expect(truth.decisions[0]).toEqual(['rollback', 'HARM', 'reopen_rate']));

  test('an emitter that does not say its clock, three hours ahead: what is in the future happened on arrival', () => {
    const [, skewOf] = skews[0] as (typeof skews)[number];
    const played = playWithSkew(revision, arrivals, { skewOf, lookEvery: 100, corrected: false });
    expect(totals(played)).toEqual(totals(truth));
  });

  test.each([3 * hour, -3 * hour, 90_000, -90_000])('a skew of %d ms is shown within 1%', (skewMs) => {
    const played = playWithSkew(revision, arrivals, { skewOf: () => skewMs, lookEvery: 1_000 });
    for (const { most, least } of played.skews.values())
      for (const shown of [most, least]) expect(Math.abs(shown / skewMs - 1)).toBeLessThan(0.01);
    expect(played.last.clocks).toEqual([]); // the last look is weeks after the last call
  });
});

describe('a service whose clock is more than a minute off', () => {
  const won = anEvaluation({
    watermark: monday + 48 * hour,
    newestClock: monday + 48 * hour,
    metrics: [aMetric({ role: 'goal', winLog: 10 })],
  });
  test('promotes nothing, and the state says why', () => {
    expect(decide(won, []).decision?.action).toBe('promote');
    const skewed = { ...won, clocks: [{ service: 'app', skewMs: -61_000 }] };
    expect([decide(skewed, []).state, decide(skewed, []).decision]).toEqual(['CLOCK_SKEW', undefined]);
    expect(decide({ ...won, clocks: [{ service: 'app', skewMs: 59_000 }] }, []).decision?.action).toBe('promote');
  });
  test('is rolled back all the same when it does harm', () => {
    const harmful = { ...won, metrics: [aMetric({ log: 10 })], clocks: [{ service: 'app', skewMs: 1e9 }] };
    expect(decide(harmful, []).decision?.action).toBe('rollback');
  });
});

const data = realData();
const every = process.env['TRIPLINE_SKEW_SCENARIOS'] === 'all';
describe.skipIf(data === undefined)('real scenarios', () => {
  test.each(every ? ['d1-aa', 'd2-tuesday', 'd3-model-swap'] : ['d3-model-swap'])(
    '%s: no clock changes what is decided',
    async (name) => {
      const at = (suffix: string): string => `${data}/scenarios/${name}.${suffix}`;
      const { spec, sha } = readExperimentFile(at('experiment.yaml'));
      const read = await readArrivals({
        eventsFile: at('inference.jsonl.gz'),
        outcomesFile: at('outcomes.jsonl.gz'),
        unitType: spec.unit,
      });
      const revision = planRevision(spec, sha, undefined, read.first.arrivedAt, 'test', 'test');
      if (revision === undefined) throw new Error('no revision');
      const options = { lookEvery: every ? 250 : 500 };
      const truth = playWithSkew(revision, read.arrivals, { ...options, skewOf: () => 0 });
      for (const [, skewOf] of every ? skews : skews.slice(-1)) {
        const played = playWithSkew(revision, read.arrivals, { ...options, skewOf });
        expect([played.decisions, played.after]).toEqual([truth.decisions, truth.after]);
      }
      if (every) console.log(name, JSON.stringify(truth.decisions), JSON.stringify(truth.after));
    },
    600_000,
  );
});
