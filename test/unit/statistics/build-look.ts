/**
 * A look from entries in words: who entered which segment, in which arm, with what value. Differences are made as the
 * joiner makes them.
 */
import { betDesignOf, betLogs, fixedPoint, scaledValue } from '../../../services/kernel/bets.ts';
import {
  addTestSums,
  type TestAggregate,
  emptyTestSums,
  type ConfigurationChange,
  type Look,
  type SegmentStart,
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
    partitionIds?: number;
    segments?: readonly SegmentStart[];
    configurationChanges?: readonly ConfigurationChange[];
    slots?: number;
  } & Partial<Omit<Look, 'segments' | 'configurationChanges'>> = {},
): Look {
  const {
    partOf = () => 0,
    partitionIds = 1,
    slots = 1 + Math.max(0, ...entries.map(({ segment }) => segment)),
    configurationChanges = [],
    segments,
    ...rest
  } = change;
  const spec = experiment.spec.metrics.find(({ id }) => id === metric);
  if (spec === undefined) throw new RangeError(`no metric ${metric}`);
  const candidates = experiment.spec.arms.filter(({ role }) => role === 'candidate').map(({ id }) => id);
  const testAggregates = new Map<string, TestAggregate>();
  const last = new Map<string, number>();
  const assigned = Array.from({ length: partitionIds }, (): Record<string, number> => ({}));
  for (const { unit, arm, segment, value } of entries) {
    const partitionId = partOf(unit);
    const previous = last.get(unit);
    if (previous === undefined)
      assigned[partitionId] = { ...assigned[partitionId], [arm]: (assigned[partitionId]?.[arm] ?? 0) + 1 };
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
        const key = `${partitionId}/${candidate}/${arm}/${at}`;
        const aggregate = testAggregates.get(key) ?? {
          partitionId,
          candidate,
          arm,
          metric,
          segment: at,
          sums: emptyTestSums(),
        };
        addTestSums(aggregate.sums, sums, sign);
        testAggregates.set(key, aggregate);
      };
      into(segment, 1);
      if (previous !== undefined) into(previous, -1);
    }
  }
  const { testStartEveryMs } = experiment.spec.analysis;
  return {
    experiment,
    metricAggregates: [],
    entries: [...testAggregates.values()],
    configurationChanges,
    partitions: Array.from({ length: partitionIds }, (_, partitionId) => ({
      partitionId,
      position: 4096 * (partitionId + 1),
      clock: monday + slots * testStartEveryMs,
      revision: experiment.revision,
      events: entries.length,
      crossovers: 0,
      assigned: assigned[partitionId] ?? {},
    })),
    segments:
      segments ??
      Array.from({ length: partitionIds }, (_, partitionId) =>
        Array.from(
          { length: slots },
          (__, slot): SegmentStart => ({
            partitionId,
            ordinal: slot,
            slot,
            startedAt: monday + slot * testStartEveryMs,
            reason: slot === 0 ? 'phase' : 'schedule',
          }),
        ),
      ).flat(),
    ...rest,
  };
}
