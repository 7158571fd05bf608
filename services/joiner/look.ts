/**
 * One look at partitions in memory: what `verify` and tests compare with the look that statistics read from ClickHouse.
 */
import { assembleLook, type ExperimentEvidence, type PartitionEvidence } from '../kernel/assemble-look.ts';
import type { Look, MetricAggregate } from '../kernel/evidence.ts';
import { type ExperimentState, metricAggregateOf, testAggregateOf } from './experiment-state.ts';
import type { PartitionState } from './partition-state.ts';

/** Metric aggregates must be up to date: call after `takeFlushRows`. `position` by partition: where each was cut. */
export function lookAt(
  partitions: readonly PartitionState[],
  experimentId: string,
  position: (partitionId: number) => number,
): Look | undefined {
  const [newest] = partitions
    .flatMap(({ experiments }) => experiments.get(experimentId)?.revision ?? [])
    .sort((a, b) => b.revision - a.revision);
  if (newest === undefined) return undefined;
  return assembleLook(
    newest,
    partitions.map((partition) => evidenceOf(partition, experimentId, newest.phase, position(partition.partitionId))),
  );
}

function evidenceOf(
  { partitionId, clock, experiments }: PartitionState,
  experimentId: string,
  phase: number,
  position: number,
): PartitionEvidence {
  const held = experiments.get(experimentId);
  const place = { partitionId, position, clock };
  if (held?.revision.phase !== phase) return { ...place, metricAggregates: [], testAggregates: [] };
  return {
    ...place,
    experiment: experimentEvidence(held),
    metricAggregates: metricAggregatesOf(held, partitionId),
    testAggregates: [...held.testAggregates].map(([key, sums]) => ({
      partitionId,
      ...testAggregateOf(held, key, sums),
    })),
  };
}

const experimentEvidence = (state: ExperimentState): ExperimentEvidence => ({
  revision: state.revision,
  segments: state.segments,
  configurationChanges: [...state.configurationChanges.values()],
  assigned: state.assigned,
  events: state.events,
  crossovers: state.crossovers,
  aliasCrossovers: state.aliasCrossovers,
  lastSeenAt: state.lastSeenAt,
  clocks: [...state.clocks],
  unknown: [...state.unknown.values()],
});

const metricAggregatesOf = (state: ExperimentState, partitionId: number): MetricAggregate[] =>
  state.metricAggregates.flatMap((aggregates, arm) =>
    aggregates.map((sums, metric) => ({ partitionId, ...metricAggregateOf(state, arm, metric, sums) })),
  );
