/**
 * One look at folded partitions in memory: what `verify` and tests compare with the look that statistics read from
 * ClickHouse.
 */
import type {
  TestAggregate,
  ConfigurationChange,
  Look,
  PartitionPosition,
  MetricAggregate,
  SegmentStart,
} from '../kernel/evidence.ts';
import { type PartitionState, readAggregateKey } from './partition-state.ts';

/** metric aggregates must be up to date: call after `takeFlushRows`. `position` by partition: where each was cut. */
export function lookAt(
  partitions: readonly PartitionState[],
  experimentId: string,
  position: (partitionId: number) => number,
): Look | undefined {
  const newest = partitions
    .flatMap(({ experiments }) => experiments.get(experimentId) ?? [])
    .sort((a, b) => b.revision.revision - a.revision.revision)[0];
  if (newest === undefined) return undefined;
  const marks: PartitionPosition[] = [];
  const segments: SegmentStart[] = [];
  const configurationChanges: ConfigurationChange[] = [];
  const metricAggregates: MetricAggregate[] = [];
  const entries: TestAggregate[] = [];
  for (const { partitionId, clock, experiments } of partitions) {
    const fold = experiments.get(experimentId);
    const live = fold?.revision.phase === newest.revision.phase ? fold : undefined;
    marks.push({
      partitionId,
      clock,
      position: position(partitionId),
      revision: live?.revision.revision ?? 0,
      events: live?.events ?? 0,
      crossovers: live?.crossovers ?? 0,
      ...(live && {
        lastSeenAt: Object.fromEntries(live.arms.map((arm, index) => [arm, live.lastSeenAt[index] ?? 0])),
      }),
      assigned: Object.fromEntries(live?.arms.map((arm, index) => [arm, live.assigned[index] ?? 0]) ?? []),
    });
    if (live === undefined) continue;
    segments.push(...live.segments.map((segment) => ({ ...segment, partitionId })));
    configurationChanges.push(...live.configurationChanges.values());
    for (const [arm, testAggregates] of live.metricAggregates.entries()) {
      for (const [metric, aggregate] of testAggregates.entries()) {
        const { units, firstEvents, numerator, denominator, numerator2, denominator2, product } = aggregate;
        metricAggregates.push({
          partitionId,
          arm: live.arms[arm] ?? '',
          metric: live.metrics[metric]?.spec.id ?? '',
          units,
          firstEvents,
          numerator,
          denominator,
          numerator2,
          denominator2,
          product,
        });
      }
    }
    for (const [key, sums] of live.testAggregates) {
      const { segment, candidate, side, metric } = readAggregateKey(live, key);
      const candidateArm = live.arms[live.candidates[candidate] ?? -1] ?? '';
      entries.push({
        partitionId,
        candidate: candidateArm,
        arm: side === 1 ? candidateArm : (live.arms[live.control] ?? ''),
        metric: live.metrics[metric]?.spec.id ?? '',
        segment,
        sums,
      });
    }
  }
  return { experiment: newest.revision, partitions: marks, segments, configurationChanges, metricAggregates, entries };
}
