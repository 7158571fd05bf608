/**
 * What counts, for whom and when, told by example; the rules are in services/joiner/README.md. Arm A is control, arm B
 * the candidate. `reopen_rate` divides tickets that were reopened within 72 h by tickets that were solved.
 */
import { describe, expect, test } from 'vitest';
import { foldRecord } from '../../../services/joiner/fold.ts';
import { createPartitionState, type PartitionState } from '../../../services/joiner/partition-state.ts';
import { betDesignOf, betLogs, fixedPoint } from '../../../services/kernel/bets.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import { anInference, anOutcome, aRevision, hour, monday } from '../../support/build.ts';
import { createMemoryPath, type MemoryPath } from '../../support/memory-path.ts';
import { adopted } from '../../support/unit-log.ts';

const revision = aRevision();
const { metrics } = revision.spec;

/** One partition in which all of it has arrived, and every window has closed. */
const played = (arrivals: readonly Arrival[]): MemoryPath => {
  const path = createMemoryPath(1);
  path.apply(revision);
  for (const arrival of arrivals) path.send(arrival);
  path.tick(monday + 400 * hour);
  return path;
};
const armOf = (path: MemoryPath, metric: string, arm: string) =>
  path
    .look('exp-test')
    .metrics.find((entry) => entry.metric === metric)
    ?.arms.find((entry) => entry.arm === arm);
const experimentIn = ({ partitions }: MemoryPath) => partitions[0]?.experiments.get('exp-test');
const dropped = (partition: PartitionState | undefined) => Object.fromEntries(partition?.counts.dropped ?? []);

/** A call about ticket T1, and what came of the ticket an hour later. */
const call = anInference({ ticket: 'T1' });
const solved = anOutcome({ ticket: 'T1', outcome_id: 'solved', at: monday + hour });
const notSolved = anOutcome({ ticket: 'T1', outcome_id: 'solved', value: null, at: monday + hour });
const solvedAfterAll = anOutcome({ ticket: 'T1', outcome_id: 'solved', revision: 2, at: monday + hour });

describe('an outcome that names only its ticket counts for the unit whose call named it', () => {
  test.each<[string, Arrival[]]>([
    ['after the call', [call, solved]],
    ['before the call is recorded', [solved, call]],
    ['once, although it comes twice', [call, solved, solved]],
    ['when a later revision gives it a value', [call, notSolved, solvedAfterAll]],
  ])('%s', (_name, arrivals) => {
    expect(armOf(played(arrivals), 'reopen_rate', 'A')).toMatchObject({ units: 1, numerator: '0', denominator: '1' });
  });

  test('until a revision without a value takes it back, also after its entry has closed', () => {
    const reopened = { ticket: 'T1', outcome_id: 'o', kind: 'ticket_reopened', at: monday + hour };
    const path = played([call, anOutcome(reopened), solved]);
    expect(armOf(path, 'reopen_rate', 'A')?.numerator).toBe('1');

    path.send(anOutcome({ ...reopened, revision: 2, value: null, arrivedAt: monday + 500 * hour }));
    expect(armOf(path, 'reopen_rate', 'A')?.numerator).toBe('0');
    const ordinal = metrics.findIndex(({ id }) => id === 'reopen_rate');
    const ofReopenRate = [...(experimentIn(path)?.testAggregates ?? [])].filter(
      ([key]) => key % metrics.length === ordinal,
    );
    expect(ofReopenRate.map(([, { n, s, sv }]) => [n, s, sv])).toEqual([[1, 0, 0]]);
  });

  test('from the earliest call that named it: one that arrives late moves the window', () => {
    const eightyHoursEarlier = anInference({ ticket: 'T1', at: monday - 80 * hour, arrivedAt: monday + hour });
    expect(armOf(played([call, solved]), 'reopen_rate', 'A')?.denominator).toBe('1');
    expect(armOf(played([call, solved, eightyHoursEarlier]), 'reopen_rate', 'A')?.denominator).toBe('0');
  });
});

test('a unit seen in two arms is kept out of both and reported', () => {
  const path = played([
    anInference({ user: 'u', variant: 'A' }),
    anInference({ user: 'u', variant: 'B' }),
    anInference({ user: 'v', variant: 'B' }),
  ]);
  const evaluation = path.look('exp-test');
  expect(evaluation.crossovers).toBe(1);
  expect([armOf(path, 'error_rate', 'A')?.units, armOf(path, 'error_rate', 'B')?.units]).toEqual([0, 1]);
  expect(evaluation.eventsFolded).toBe(3);
});

test('a prompt that an arm has not shown opens a segment, from which every metric is tested that has a value', () => {
  const path = played([
    anInference({ user: 'a', variant: 'A' }),
    anInference({ user: 'b', variant: 'B' }),
    anInference({ user: 'c', variant: 'B', at: monday + 30 * hour, prompt_version: 'v2' }),
  ]);
  const segments = experimentIn(path)?.segments ?? [];
  expect(segments.map(({ reason }) => reason)).toContain('configuration change');
  const tested = path.look('exp-test').metrics.flatMap(({ metric, harm }) => (harm ? [metric] : []));
  // No ticket was resolved: ratios of them have nothing to say.
  expect(tested).toEqual(['error_rate', 'cost', 'cost_per_user']);
});

test('a test aggregate holds the bet logs of kernel/bets.ts, to the bit', () => {
  const path = played([
    anInference({ user: 'a', variant: 'A', status: 'error' }),
    anInference({ user: 'b', variant: 'B' }),
    anInference({ user: 'c', variant: 'B', status: 'error' }),
  ]);
  path.look('exp-test');
  const design = betDesignOf(revision.spec, metrics[0] as (typeof metrics)[number], 'B');
  const [noError, error] = [betLogs(design, true, 0, 'harm'), betLogs(design, true, 1, 'harm')];
  // Segment 0, the only candidate, its side of the pair, the first metric.
  const candidateErrors = experimentIn(path)?.testAggregates.get(metrics.length * 1 + 0);
  expect(candidateErrors?.harm).toEqual(noError.map((log, bet) => log + (error[bet] ?? 0)));
  expect(candidateErrors?.sv).toBe(fixedPoint);
});

test('what cannot count is dropped with its reason', () => {
  const exposure = { experiment_id: 'exp-test', phase: 1, variant: 'A', unit_type: 'user', reason: 'SPLIT' } as const;
  const path = played([
    anInference({ exposures: [{ ...exposure, experiment_id: 'other' }] }),
    anInference({ exposures: [{ ...exposure, phase: 2 }] }),
    anInference({ variant: 'Z' }),
    anInference({ event_id: 'same' }),
    anInference({ event_id: 'same' }),
    anInference({ ticket: 'T9' }),
    anOutcome({ ticket: 'T9', kind: 'ticket_closed' }),
  ]);
  expect(dropped(path.partitions[0])).toEqual({
    'experiment-unknown': 1,
    'other-phase': 1,
    'arm-unknown': 1,
    duplicate: 1,
    'kind-not-measured': 1,
  });
});

test('a later phase starts at nothing, and an older revision changes nothing', () => {
  const partition = createPartitionState(0);
  foldRecord(partition, adopted({ ...revision, revision: 3, phase: 2 }), 0);
  foldRecord(partition, adopted(revision), 4096);
  expect(partition.experiments.get('exp-test')?.revision.phase).toBe(2);
  expect(dropped(partition)).toEqual({ 'revision-already-adopted': 1 });
});

describe('a call that names its exposure many times', () => {
  const named = (variants: readonly ('A' | 'B')[]) =>
    played([
      anInference({
        latency_ms: 1e9,
        exposures: variants.map((variant) => ({
          experiment_id: 'exp-test',
          phase: 1,
          variant,
          unit_type: 'user',
          reason: 'SPLIT',
        })),
      }),
    ]);
  test('is one call', () => {
    const once = named(['A']);
    const often = named(Array.from({ length: 10_000 }, () => 'A' as const));
    expect(armOf(often, 'error_rate', 'A')).toEqual(armOf(once, 'error_rate', 'A'));
    expect(experimentIn(often)?.events).toBe(1);
    expect(dropped(often.partitions[0])).toEqual({ 'exposure-repeated': 9_999 });
  });
  test('with another arm: one call of a unit that was seen in two arms', () => {
    const path = named(['A', 'B']);
    expect(experimentIn(path)).toMatchObject({ events: 1, crossovers: 1 });
  });
});

test('a call that another host saw a second before its exposure is not lost to the entry', () => {
  const path = createMemoryPath(1);
  path.apply(revision);
  path.expose('u', 'A', monday + 1_000);
  path.send(anInference({ user: 'u', at: monday, arrivedAt: monday + 1_100 }));
  path.tick(monday + 400 * hour);
  expect(armOf(path, 'error_rate', 'A')).toMatchObject({ entries: 1, known: 1, uncalled: 0 });
});
