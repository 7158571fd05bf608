/**
 * Where tests begin, in each partition, and the sums of the units that entered since, over a look's segments,
 * configuration changes and test aggregates.
 */
import {
  addTestSums,
  copyTestSums,
  type TestAggregate,
  type TestSums,
  emptyTestSums,
  type ConfigurationChange,
  type Look,
  type SegmentStart,
} from '../kernel/evidence.ts';
import type { TestStart } from '../kernel/evaluation.ts';
import { roundedSums } from '../kernel/wide-sums.ts';
import { configurationChangeWeight, slotWeight, suffixSums, wholePhaseWeight } from './math/test-start-weights.ts';

/**
 * A test start with the segment at which it begins in each partition; partitions that have not reached it contribute
 * nothing.
 */
export type PlacedTestStart = { readonly testStart: TestStart; readonly from: ReadonlyMap<number, number> };

const dimensionOrder: Readonly<Record<ConfigurationChange['dimension'], number>> = {
  prompt_version: 0,
  model_served: 1,
  rag_index_version: 2,
  tool_set_version: 3,
};

export function placeTestStarts(look: Look): PlacedTestStart[] {
  const byPartition = new Map<number, SegmentStart[]>();
  for (const segment of look.segments)
    byPartition.set(segment.partitionId, [...(byPartition.get(segment.partitionId) ?? []), segment]);
  for (const segments of byPartition.values()) segments.sort((a, b) => a.ordinal - b.ordinal);
  const placed: PlacedTestStart[] = [
    {
      testStart: { kind: 'whole', label: 'whole phase', index: 0, weight: wholePhaseWeight },
      from: new Map([...byPartition.keys()].map((partitionId) => [partitionId, 0])),
    },
  ];
  const { testStartEveryMs, horizonMs } = look.experiment.spec.analysis;
  const planned = Math.max(1, horizonMs / testStartEveryMs);
  const slots = new Set(look.segments.filter(({ reason }) => reason === 'schedule').map(({ slot }) => slot));
  for (const slot of [...slots].sort((a, b) => a - b)) {
    const from = new Map<number, number>();
    for (const [partitionId, segments] of byPartition) {
      const first = segments.find((segment) => segment.slot >= slot);
      if (first) from.set(partitionId, first.ordinal);
    }
    placed.push({
      testStart: { kind: 'schedule', label: `schedule ${slot}`, index: slot, weight: slotWeight(slot, planned) },
      from,
    });
  }
  return [...placed, ...placeConfigurationChanges(look.configurationChanges)];
}

/**
 * Values that an arm showed for the first time on one record are one configuration change; what any partition saw as
 * baseline is baseline.
 */
function placeConfigurationChanges(marks: readonly ConfigurationChange[]): PlacedTestStart[] {
  const values = new Map<string, ConfigurationChange[]>();
  for (const mark of marks) {
    const key = `${mark.arm}\u001f${mark.dimension}\u001f${mark.value}`;
    values.set(key, [...(values.get(key) ?? []), mark]);
  }
  const fresh = [...values.values()].filter((sightings) => !sightings.some(({ baseline }) => baseline));
  const compare = (a: ConfigurationChange, b: ConfigurationChange): number =>
    a.firstSeenAt - b.firstSeenAt ||
    (a.arm < b.arm ? -1 : a.arm > b.arm ? 1 : 0) ||
    dimensionOrder[a.dimension] - dimensionOrder[b.dimension] ||
    (a.value < b.value ? -1 : a.value > b.value ? 1 : 0) ||
    a.partitionId - b.partitionId;
  const ordered = fresh
    .map((sightings) => ({ first: [...sightings].sort(compare)[0] as ConfigurationChange, sightings }))
    .sort((a, b) => compare(a.first, b.first));
  const groups: { first: ConfigurationChange; members: (typeof ordered)[number][] }[] = [];
  for (const entry of ordered) {
    const same = groups.find(
      ({ first }) =>
        first.firstSeenAt === entry.first.firstSeenAt &&
        first.arm === entry.first.arm &&
        first.partitionId === entry.first.partitionId &&
        first.segment === entry.first.segment,
    );
    if (same) same.members.push(entry);
    else groups.push({ first: entry.first, members: [entry] });
  }
  return groups.map(({ members }, index) => {
    const from = new Map<number, number>();
    for (const { partitionId, segment } of members.flatMap(({ sightings }) => sightings))
      from.set(partitionId, Math.min(from.get(partitionId) ?? Infinity, segment));
    const shown = members.map(({ first: { dimension, value } }) => `${dimension}=${value}`).join(', ');
    return {
      testStart: {
        kind: 'configuration change',
        label: `configuration change ${shown}`,
        index: index + 1,
        weight: configurationChangeWeight(index + 1),
      },
      from,
    };
  });
}

/** Sums of one arm from a test start on, as plain numbers. */
export function sumsFrom(
  testAggregates: ReadonlyMap<number, readonly TestSums[]>,
  from: ReadonlyMap<number, number>,
): TestSums {
  const total = emptyTestSums();
  for (const [partitionId, segment] of from) {
    const suffix = testAggregates.get(partitionId)?.[segment];
    if (suffix) addTestSums(total, suffix);
  }
  return roundedSums(total);
}

/** Suffix sums per partition of one candidate's bets, one arm, one metric. */
export function suffixesOf(
  entries: readonly TestAggregate[],
  segments: ReadonlyMap<number, number>,
): Map<number, readonly TestSums[]> {
  const differences = new Map<number, (TestSums | undefined)[]>();
  for (const { partitionId, segment, sums } of entries) {
    const list =
      differences.get(partitionId) ??
      new Array<TestSums | undefined>(segments.get(partitionId) ?? segment + 1).fill(undefined);
    const known = list[segment];
    if (known) addTestSums(known, sums);
    else list[segment] = copyTestSums(sums);
    differences.set(partitionId, list);
  }
  return new Map([...differences].map(([partitionId, list]) => [partitionId, suffixSums(list)]));
}

/** Segments per partition. */
export function segmentCounts(look: Look): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { partitionId, ordinal } of look.segments)
    counts.set(partitionId, Math.max(counts.get(partitionId) ?? 0, ordinal + 1));
  return counts;
}
