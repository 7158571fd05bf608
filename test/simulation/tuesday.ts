/**
 * The same break on real calls: scenario d2-tuesday of TRIPLINE_TEST_DATA, folded in memory and looked at after every
 * event. When does the test of the whole phase with all of alpha find it, when the test starts with their union bound?
 * The onset is the scenario's; nothing of it is known to the engines.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseExperimentFile, planRevision } from '../../services/control/index.ts';
import { lookAt } from '../../services/joiner/index.ts';
import { harmAlphaOf } from '../../services/kernel/experiment.ts';
import { type Arrival, readInferenceLine, readOutcomeLine } from '../../services/replay/scenario-lines.ts';
import { evaluate, wholePhaseWeight } from '../../services/statistics/index.ts';
import { createMemoryPath } from '../support/memory-path.ts';

const onset = Date.parse('2016-03-22T09:00:00Z');
const lookEvery = 20;

export type TuesdayRow = {
  readonly metric: string;
  readonly whole: string;
  readonly testStarts: string;
  readonly from: string;
};

/** `folder`: of the test data. Events after the onset are counted as the folded inferences of both arms. */
export function tuesday(folder: string): readonly TuesdayRow[] {
  const lines = (name: string): string[] =>
    gunzipSync(readFileSync(`${folder}/scenarios/d2-tuesday.${name}.jsonl.gz`))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
  const parsed = parseExperimentFile(
    readFileSync(`${folder}/scenarios/d2-tuesday.experiment.yaml`, 'utf8'),
    'd2-tuesday.experiment.yaml',
  );
  if (!parsed.ok) throw new RangeError(parsed.problems[0]?.message ?? 'the scenario has no experiment');
  const { spec } = parsed;
  const read = [
    ...lines('inference').map((line) => readInferenceLine(line, { phase: 1, unitType: spec.unit })),
    ...lines('outcomes').map(readOutcomeLine),
  ];
  const arrivals = read
    .flatMap((line): Arrival[] => (line.ok ? [line.arrival] : []))
    .sort((a, b) => a.arrivedAt - b.arrivedAt);
  const revision = planRevision(
    spec,
    parsed.sha,
    undefined,
    (arrivals[0]?.arrivedAt ?? 0) - 1,
    'simulation',
    'simulation',
  );
  if (revision === undefined) throw new RangeError('no revision');
  const path = createMemoryPath(1);
  path.apply(revision);
  const bound = Math.log(1 / harmAlphaOf(spec));
  const found = new Map<string, { whole?: number; testStarts?: number; from?: string }>(
    spec.metrics.map(({ id }) => [id, {}]),
  );
  let before = 0;
  let sent = 0;
  for (const arrival of arrivals) {
    path.send(arrival);
    sent += 1;
    if (sent % lookEvery > 0) continue;
    const look = path.look(spec.id);
    if (arrival.arrivedAt < onset) before = look.eventsFolded;
    const after = arrival.arrivedAt < onset ? -1 : look.eventsFolded - before;
    const folded = lookAt(path.partitions, spec.id, () => 0);
    const whole =
      folded &&
      evaluate({
        ...folded,
        configurationChanges: [],
        segments: folded.segments.filter(({ ordinal }) => ordinal === 0),
      });
    for (const { metric, harm } of look.metrics) {
      const row = found.get(metric);
      if (row && row.testStarts === undefined && (harm?.weightedLogE ?? -Infinity) >= bound)
        Object.assign(row, { testStarts: after, from: harm?.testStart.label });
    }
    for (const { metric, harm } of whole?.metrics ?? []) {
      const row = found.get(metric);
      // All of alpha for the one test of the whole phase: its weight is given back.
      if (row && row.whole === undefined && (harm?.weightedLogE ?? -Infinity) - Math.log(wholePhaseWeight) >= bound)
        row.whole = after;
    }
  }
  const said = (events: number | undefined): string =>
    events === undefined ? 'never' : events < 0 ? 'before the onset' : events.toLocaleString('en');
  return [...found].map(([metric, { whole, testStarts, from = '' }]) => ({
    metric,
    whole: said(whole),
    testStarts: said(testStarts),
    from,
  }));
}
