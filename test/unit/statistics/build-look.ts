/**
 * A look from entries in words: who entered which segment, in which arm, with what value. Differences are made as the
 * fold makes them.
 */
import { betDesignOf, betLogs, fixedPoint, scaledValue } from '../../../services/kernel/bets.ts';
import {
  addEntrySums,
  type EntryCell,
  emptyEntrySums,
  type FingerprintMark,
  type Look,
  type SegmentMark,
} from '../../../services/kernel/evidence.ts';
import type { ExperimentRevision } from '../../../services/kernel/experiment.ts';
import { monday } from '../../support/build.ts';

export type Entry = { readonly unit: string; readonly arm: string; readonly segment: number; readonly value: number };

/**
 * Entries of one unit in the order of their segments; `partOf` places units, segment k has slot k unless `segments`
 * says otherwise.
 */
export function aLook(
  experiment: ExperimentRevision,
  metric: string,
  entries: readonly Entry[],
  change: {
    partOf?: (unit: string) => number;
    parts?: number;
    segments?: readonly SegmentMark[];
    fingerprints?: readonly FingerprintMark[];
    slots?: number;
  } & Partial<Omit<Look, 'segments' | 'fingerprints'>> = {},
): Look {
  const {
    partOf = () => 0,
    parts = 1,
    slots = 1 + Math.max(0, ...entries.map(({ segment }) => segment)),
    fingerprints = [],
    segments,
    ...rest
  } = change;
  const spec = experiment.spec.metrics.find(({ id }) => id === metric);
  if (spec === undefined) throw new RangeError(`no metric ${metric}`);
  const candidates = experiment.spec.arms.filter(({ role }) => role === 'candidate').map(({ id }) => id);
  const cells = new Map<string, EntryCell>();
  const last = new Map<string, number>();
  const assigned = Array.from({ length: parts }, (): Record<string, number> => ({}));
  for (const { unit, arm, segment, value } of entries) {
    const part = partOf(unit);
    const previous = last.get(unit);
    if (previous === undefined) assigned[part] = { ...assigned[part], [arm]: (assigned[part]?.[arm] ?? 0) + 1 };
    last.set(unit, segment);
    const x = scaledValue(spec, value);
    for (const candidate of candidates.filter((id) => id === arm || !candidates.includes(arm))) {
      const design = betDesignOf(experiment.spec, spec, candidate);
      const isCandidate = arm === candidate;
      const v = Math.floor(x * fixedPoint);
      const sums = {
        n: 1,
        s: value > 0 ? 1 : 0,
        sv: v,
        svv: Math.floor(x * x * fixedPoint),
        harm: betLogs(design, isCandidate, x, 'harm'),
        win: betLogs(design, isCandidate, x, 'win'),
      };
      const into = (at: number, sign: 1 | -1): void => {
        const key = `${part}/${candidate}/${arm}/${at}`;
        const cell = cells.get(key) ?? { part, candidate, arm, metric, segment: at, sums: emptyEntrySums() };
        addEntrySums(cell.sums, sums, sign);
        cells.set(key, cell);
      };
      into(segment, 1);
      if (previous !== undefined) into(previous, -1);
    }
  }
  const { restartEveryMs } = experiment.spec.analysis;
  return {
    experiment,
    reports: [],
    entries: [...cells.values()],
    fingerprints,
    partitions: Array.from({ length: parts }, (_, part) => ({
      part,
      ver: 4096 * (part + 1),
      clock: monday + slots * restartEveryMs,
      revision: experiment.revision,
      events: entries.length,
      crossovers: 0,
      assigned: assigned[part] ?? {},
    })),
    segments:
      segments ??
      Array.from({ length: parts }, (_, part) =>
        Array.from(
          { length: slots },
          (__, slot): SegmentMark => ({
            part,
            ordinal: slot,
            slot,
            startedAt: monday + slot * restartEveryMs,
            reason: slot === 0 ? 'phase' : 'schedule',
          }),
        ),
      ).flat(),
    ...rest,
  };
}
