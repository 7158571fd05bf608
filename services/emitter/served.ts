import { type AssignmentTable, createAssignmentTable } from '../assignment/index.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';

/** Nobody is given a candidate under it: it may be served before anybody counts by it. */
const givesControl = ({ status }: ExperimentRevision): boolean => status !== 'running' && status !== 'paused';

/** What is served: the newest revision of each experiment that may be. */
export function createServed(known: Iterable<ExperimentRevision>) {
  let table: AssignmentTable = createAssignmentTable(known);
  const revisions = new Map(table.revisions);
  /** Phases that the unit log has heard of: their checkpoints come after it. */
  const phases = new Map<string, number>();
  return {
    table: () => table,
    heard: ({ spec, phase }: ExperimentRevision): void => {
      phases.set(spec.id, Math.max(phases.get(spec.id) ?? 0, phase));
    },
    /**
     * True when it is served from now on. A switch is obeyed as it stands on the control topic; a phase begins when
     * those who count have heard of it, else its first exposures would count nowhere.
     */
    take: (revision: ExperimentRevision): boolean => {
      const { id } = revision.spec;
      if ((revisions.get(id)?.revision ?? 0) >= revision.revision) return false;
      if (revision.phase > (phases.get(id) ?? 0) && !givesControl(revision)) return false;
      revisions.set(id, revision);
      table = createAssignmentTable(revisions.values());
      return true;
    },
  };
}
