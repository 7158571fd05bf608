/**
 * A look from entries in words: who entered which segment, in which arm, with what value. Differences are made as the
 * joiner makes them.
 */
import { betDesignOf } from '../../../services/kernel/bets.ts';
import { addEntry, evenScales } from '../../../services/kernel/entry-sums.ts';
import { entryValue, reached, valueRuleOf } from '../../../services/kernel/entry-value.ts';
import {
  addTestSums,
  type TestAggregate,
  emptyTestSums,
  type ConfigurationChange,
  type Look,
  type SegmentStart,
  type TestSums,
} from '../../../services/kernel/evidence.ts';
import type { ExperimentRevision, MetricSpec } from '../../../services/kernel/experiment.ts';
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
  const add = ({ sums, ...of }: TestAggregate, sign: 1 | -1): void => {
    const key = `${of.partitionId}/${of.candidate}/${of.arm}/${of.segment}`;
    const aggregate = testAggregates.get(key) ?? { ...of, sums: emptyTestSums() };
    addTestSums(aggregate.sums, sums, sign);
    testAggregates.set(key, aggregate);
  };
  const last = new Map<string, number>();
  const assigned = Array.from({ length: partitionIds }, (): Record<string, number> => ({}));
  for (const { unit, arm, segment, value } of entries) {
    const partitionId = partOf(unit);
    const previous = last.get(unit);
    if (previous === undefined)
      assigned[partitionId] = { ...assigned[partitionId], [arm]: (assigned[partitionId]?.[arm] ?? 0) + 1 };
    last.set(unit, segment);
    for (const candidate of candidates.filter((id) => id === arm || !candidates.includes(arm))) {
      const sums = sumsOfEntry(experiment, spec, candidate, arm, value);
      const of = { partitionId, candidate, arm, metric, sums };
      add({ ...of, segment }, 1);
      if (previous !== undefined) add({ ...of, segment: previous }, -1);
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
    segments: segments ?? scheduled(partitionIds, slots, testStartEveryMs),
    ...rest,
  };
}

/** What one entry of one call (or one outcome) of that value adds to a test aggregate. */
function sumsOfEntry(
  { spec }: ExperimentRevision,
  metric: MetricSpec,
  candidate: string,
  arm: string,
  value: number,
): TestSums {
  const rule = valueRuleOf(metric);
  const counts = {
    numerator: value / rule.ratio,
    denominator: 1,
    known: 1,
    unknown: 0,
    reached: reached.called,
  };
  const sums = emptyTestSums();
  const entry = { counts, value: entryValue(rule, counts), scales: evenScales };
  addEntry(sums, metric, betDesignOf(spec, metric, candidate), arm === candidate, entry, 1);
  return sums;
}

/** Segment k of every partition is slot k. */
const scheduled = (partitionIds: number, slots: number, everyMs: number): SegmentStart[] =>
  Array.from({ length: partitionIds * slots }, (_, at) => {
    const slot = at % slots;
    return {
      partitionId: Math.floor(at / slots),
      ordinal: slot,
      slot,
      startedAt: monday + slot * everyMs,
      reason: slot === 0 ? 'phase' : 'schedule',
    };
  });
