/** What a call adds to the totals of a unit, metric by metric: a value, or the knowledge that there is none. */
import type { Observation } from '../../schemas/generated.ts';
import type { MetricSpec } from '../kernel/experiment.ts';
import { entryField, entryLength, totalField, totalLength } from '../kernel/state/kinds.ts';
import { type ExperimentState, type MetricState, unknownKey } from './experiment-state.ts';
import { drop } from './fold-unit.ts';
import { unknownReasonOf } from './measure-observation.ts';
import type { PartitionState } from './partition-state.ts';
import { entriesAt, type UnitInExperiment } from './unit-state.ts';

/** Adds the inference to the unit's totals. What it adds, `totalLength` numbers per metric, is read at once. */
export function measure(
  partition: PartitionState,
  member: UnitInExperiment,
  arm: number,
  observation: Observation,
): Float64Array {
  const { experiment, data, at } = member;
  const amounts = experiment.scratch.fill(0);
  for (let index = 0; index < experiment.metrics.length; index += 1) {
    const metric = experiment.metrics[index];
    if (metric === undefined) continue;
    measureMetric(experiment, metric, arm, observation, amounts, totalLength * index);
    if (fits(member, index, amounts)) continue;
    drop(partition, 'sum-limit');
    leaveOut(metric, amounts, totalLength * index);
  }
  for (let index = 0; index < amounts.length; index += 1)
    data[at + index] = (data[at + index] ?? 0) + (amounts[index] ?? 0);
  return amounts;
}

/** The call has no value; where the denominator counts calls it is one all the same. */
function leaveOut({ rule }: MetricState, amounts: Float64Array, at: number): void {
  const requests = rule.countsRequests ? (amounts[at + totalField.denominator] ?? 0) : 0;
  amounts.fill(0, at, at + totalLength);
  amounts[at + totalField.denominator] = requests;
  amounts[at + totalField.unknown] = 1;
}

/** Sums of a unit stay whole numbers that a double holds; a call that would take one further has no value there. */
function fits(member: UnitInExperiment, index: number, amounts: Float64Array): boolean {
  const { data, at } = member;
  const open = entriesAt(member) + index * entryLength + entryField.openNumerator;
  for (const field of [totalField.numerator, totalField.denominator]) {
    const amount = amounts[totalLength * index + field] ?? 0;
    if (amount === 0) continue;
    const sums = [data[at + totalLength * index + field] ?? 0, data[open + field] ?? 0];
    if (!sums.every((sum) => Number.isSafeInteger(sum + amount))) return false;
  }
  return true;
}

/** A call of which one side is not known adds to no sum but the denominator, where that counts calls. */
function measureMetric(
  experiment: ExperimentState,
  { numerator, denominator, rule, spec }: MetricState,
  arm: number,
  observation: Observation,
  amounts: Float64Array,
  at: number,
): void {
  const above = numerator?.(observation);
  const below = denominator?.(observation);
  if (above === undefined && below === undefined) return;
  if (above === null || below === null) {
    amounts[at + totalField.unknown] = 1;
    if (rule.countsRequests || !rule.perCall) amounts[at + totalField.denominator] = below ?? 0;
    countUnknown(experiment, experiment.arms[arm] ?? '', spec, observation);
    return;
  }
  amounts[at + totalField.known] = 1;
  amounts[at + totalField.numerator] = above ?? 0;
  amounts[at + totalField.denominator] = below ?? 0;
}

function countUnknown(experiment: ExperimentState, arm: string, spec: MetricSpec, observation: Observation): void {
  const why = { arm, metric: spec.id, reason: unknownReasonOf(spec, observation) };
  const key = unknownKey(why);
  experiment.unknown.set(key, { ...why, calls: (experiment.unknown.get(key)?.calls ?? 0) + 1 });
}
