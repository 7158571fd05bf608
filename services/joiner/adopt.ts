/** Revisions of experiments, as they come in the unit log. */
import { frozenDesign } from '../kernel/experiment.ts';
import { parseRevision } from '../kernel/experiment-json.ts';
import { createExperimentState, type ExperimentState } from './experiment-state.ts';
import { drop } from './fold-unit.ts';
import type { PartitionState } from './partition-state.ts';
import { openScheduledSegment } from './segments.ts';

export function adopt(partition: PartitionState, document: string): void {
  const revision = parseRevision(document);
  const held = partition.experiments.get(revision.spec.id);
  if (held && held.revision.revision >= revision.revision) return drop(partition, 'revision-already-adopted');
  if (held && held.revision.phase === revision.phase) {
    // Evidence of one design says nothing under another: the partition keeps the old revision, so the experiment stays
    // unsettled.
    if (frozenDesign(held.revision.spec) !== frozenDesign(revision.spec))
      return drop(partition, 'design-changed-within-phase');
    held.revision = revision;
    held.touched = true;
    return;
  }
  // A new phase starts at nothing: what earlier phases hold stays in their rows, after a last flush of what has
  // changed.
  if (held) retire(partition, held);
  const started = createExperimentState(revision);
  partition.experiments.set(revision.spec.id, started);
  openScheduledSegment(partition, started);
}

function retire(partition: PartitionState, experiment: ExperimentState): void {
  partition.retired.push(experiment);
  for (const unit of partition.units.values()) {
    const index = unit.experiments.findIndex((member) => member.experiment === experiment);
    if (index >= 0) unit.experiments.splice(index, 1);
    for (const entity of unit.entities?.values() ?? []) entity.contribution.delete(experiment.key);
  }
}
