/**
 * Segments of a phase: a new one begins every `testStartEveryMs` of the partition's event-time clock, and when an arm
 * shows a configuration (model, prompt, index, tools) that it has not shown in this phase. A test starts at each.
 */
import type { Observation } from '../../schemas/generated.ts';
import type { ConfigurationChange, SegmentStart } from '../kernel/evidence.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { ExperimentState } from './experiment-state.ts';
import { drop } from './fold-unit.ts';
import type { PartitionState } from './partition-state.ts';

const dimensions = ['prompt_version', 'model_served', 'rag_index_version', 'tool_set_version'] as const;
type Dimension = (typeof dimensions)[number];

/** An arm shows at most this many values a phase and partition; further ones are counted, they open no segment. */
const maxConfigurationChanges = 256;

const scheduledSlot = ({ revision }: ExperimentState, clock: EpochMs): number =>
  Math.max(0, Math.floor((clock - revision.phaseStartedAt) / revision.spec.analysis.testStartEveryMs));

function openSegment(
  { partitionId, clock }: PartitionState,
  experiment: ExperimentState,
  slot: number,
  reason: SegmentStart['reason'],
): void {
  experiment.segments.push({ partitionId, ordinal: experiment.segments.length, slot, startedAt: clock, reason });
  experiment.touched = true;
}

export function openScheduledSegment(partition: PartitionState, experiment: ExperimentState): void {
  const slot = scheduledSlot(experiment, partition.clock);
  const current = experiment.segments.at(-1);
  if (current !== undefined && slot > current.slot) openSegment(partition, experiment, slot, 'schedule');
}

/** How many values the arm has shown. Only a value that it has not shown asks: no call of an arm as it was does. */
function shownBy({ configurationChanges, arms }: ExperimentState, arm: number): number {
  if (configurationChanges.size < maxConfigurationChanges) return 0;
  let shown = 0;
  for (const change of configurationChanges.values()) if (change.arm === arms[arm]) shown += 1;
  return shown;
}

/** What the arm's `config` in the experiment file says that it will show. */
const isDeclared = (experiment: ExperimentState, arm: number, dimension: Dimension, value: string): boolean => {
  const config = experiment.revision.spec.arms[arm]?.config ?? {};
  return config[dimension] === value || (dimension === 'model_served' && config['model'] === value);
};

/**
 * A value that the arm has not shown in this phase opens a segment, which this record belongs to. Values of one record
 * open one. Values that the arm shows in the first segment in which it is seen are its baseline, and open none.
 */
export function watchConfiguration(
  partition: PartitionState,
  experiment: ExperimentState,
  arm: number,
  observation: Observation,
): void {
  const before = experiment.segments.length;
  if (experiment.armSeen[arm] === -1) {
    experiment.armSeen[arm] = before - 1;
    experiment.touched = true;
  }
  const inBaseline = experiment.armSeen[arm] === before - 1;
  for (let index = 0; index < dimensions.length; index += 1) {
    const dimension = dimensions[index] as Dimension;
    const value = observation[dimension];
    // Nearly every event shows what the one before it showed.
    if (value === null || experiment.shown[arm * dimensions.length + index] === value) continue;
    experiment.shown[arm * dimensions.length + index] = value;
    const key = `${arm}\u001f${dimension}\u001f${value}`;
    if (experiment.configurationChanges.has(key)) continue;
    if (shownBy(experiment, arm) >= maxConfigurationChanges) {
      drop(partition, 'configuration-change-limit');
      continue;
    }
    const baseline = inBaseline || isDeclared(experiment, arm, dimension, value);
    if (!baseline && experiment.segments.length === before)
      openSegment(partition, experiment, experiment.segments.at(-1)?.slot ?? 0, 'configuration change');
    experiment.configurationChanges.set(key, changeOf(partition, experiment, arm, dimension, value, baseline));
    experiment.touched = true;
  }
}

const changeOf = (
  partition: PartitionState,
  experiment: ExperimentState,
  arm: number,
  dimension: Dimension,
  value: string,
  baseline: boolean,
): ConfigurationChange => ({
  partitionId: partition.partitionId,
  arm: experiment.arms[arm] ?? '',
  dimension,
  value,
  firstSeenAt: partition.clock,
  segment: experiment.segments.length - 1,
  baseline,
});
