/** An experiment revision as one text on the log, and back. The text is canonical: equal revisions give equal bytes. */
import { canonicalJson, type Json } from './canonical-json.ts';
import type { ExperimentRevision } from './experiment.ts';
import { PipelineError } from './pipeline-error.ts';

export const formatRevision = (revision: ExperimentRevision): string => canonicalJson(revision as never as Json);

/** Only texts that `formatRevision` made are read back: whoever puts one on the log has validated the file. */
export function parseRevision(document: string): ExperimentRevision {
  const revision = JSON.parse(document) as ExperimentRevision;
  if (
    typeof revision?.spec?.id !== 'string' ||
    !Number.isInteger(revision.revision) ||
    !Number.isInteger(revision.phase)
  ) {
    throw new PipelineError('STATE_CORRUPT', 'an experiment revision on the unit log is not one', {
      hint: 'apply experiments with `tripline apply`, nothing else writes them',
    });
  }
  return revision;
}
