/**
 * The control topic as a function: records in their order, a table of experiments out, and one answer for each record.
 * Every reader folds the same log, so every reader has the same table: revision numbers, their times and their order
 * come out of the log, never from whoever wrote. Each experiment is folded by itself.
 */
import type { Decision } from '../kernel/decision.ts';
import { candidatesOf, type ExperimentRevision, type ExperimentStatus } from '../kernel/experiment.ts';
import type { EpochMs } from '../kernel/time.ts';
import { applyDecision, planRevision } from './apply-decision.ts';
import { type Application, type ControlRecord, experimentOf, idOf } from './control-record.ts';
import { afterApply, afterEnd, concludeWords, type ControlCode, controlWords } from './control-words.ts';

export type ControlAnswer = {
  /** Superseded: nothing was wrong with it, and it changes nothing any more. */
  readonly result: 'applied' | 'superseded' | 'refused';
  readonly code: ControlCode;
  readonly reason: string;
  readonly before: ExperimentRevision | undefined;
  /** What holds now; the same value as `before` when nothing changed. */
  readonly after: ExperimentRevision | undefined;
};

/** What is known of one experiment. */
export type ExperimentControl = {
  readonly revision: ExperimentRevision;
  /** Next offset of the control topic: everything of this experiment before it is folded. */
  readonly upTo: number;
  /** Ids of the last records that were answered, oldest first: one that comes again changes nothing. */
  readonly taken: readonly string[];
};
export type ControlTable = ReadonlyMap<string, ExperimentControl>;

/** Records that may come again lie closer together than this. */
const remembered = 256;
/** Everybody has control, and nothing but a new design changes that. */
const stopped: ReadonlySet<ExperimentStatus> = new Set(['rolled_back', 'stopped', 'completed']);
const isOver = ({ status }: ExperimentRevision): boolean => stopped.has(status) || status === 'promoted';

type Outcome = Pick<ControlAnswer, 'result' | 'code'> & {
  readonly after?: ExperimentRevision | undefined;
  readonly reason?: string;
};
const superseded = (code: ControlCode): Outcome => ({ result: 'superseded', code });
const refused = (code: ControlCode): Outcome => ({ result: 'refused', code });
const applied = (after: ExperimentRevision, code: ControlCode = 'applied', reason?: string): Outcome => ({
  result: 'applied',
  code,
  after,
  ...(reason !== undefined && { reason }),
});

/** `time`: when the log took the record. One whose offset is folded already changes nothing. */
export function foldControl(
  table: ControlTable,
  record: ControlRecord,
  offset: number,
  time: EpochMs,
): { readonly table: ControlTable; readonly answer: ControlAnswer } {
  const experimentId = experimentOf(record);
  const known = table.get(experimentId);
  const before = known?.revision;
  const outcome = outcomeOf(known, record, offset, time);
  const after = outcome.after ?? before;
  const reason = outcome.reason ?? controlWords(outcome.code, record, after);
  const answer: ControlAnswer = { result: outcome.result, code: outcome.code, reason, before, after };
  if (after === undefined || (known !== undefined && offset < known.upTo)) return { table, answer };
  const taken = [...(known?.taken ?? []).filter((id) => id !== idOf(record)), idOf(record)].slice(-remembered);
  return { table: new Map(table).set(experimentId, { revision: after, upTo: offset + 1, taken }), answer };
}

function outcomeOf(
  known: ExperimentControl | undefined,
  record: ControlRecord,
  offset: number,
  time: EpochMs,
): Outcome {
  if (known?.taken.includes(idOf(record)) || (known && offset < known.upTo)) return superseded('already-answered');
  if (record.kind === 'apply') return applyFile(known?.revision, record.application, time);
  if (known === undefined) return refused('no-such-experiment');
  return obey(known.revision, record.decision, offset, time);
}

function applyFile(before: ExperimentRevision | undefined, application: Application, time: EpochMs): Outcome {
  const { spec, configSha, author, reason, experimentId } = application;
  if (spec === undefined || spec.id !== experimentId) return refused('unreadable');
  const after = planRevision(spec, configSha, before, time, author, reason);
  return after === undefined ? superseded('unchanged') : applied(after, 'applied', afterApply(before, after));
}

/**
 * Stopping by a person is meant for whatever runs (phase 0); everything else for the state of things that whoever
 * decided had seen, and so is a kill that names a phase: those were written before there was a fold.
 */
function isMeantForAnother(revision: ExperimentRevision, decision: Decision): ControlCode | undefined {
  const { action, actor, phase } = decision;
  const isPersons = actor !== 'engine';
  const stops = action === 'rollback' || action === 'pause' || action === 'end';
  if (isPersons && stops && phase === 0) return undefined;
  if (phase !== revision.phase) return 'another-phase';
  if (action === 'rollback' || action === 'conclude') return undefined;
  return decision.revision === revision.revision ? undefined : 'another-revision';
}

function obey(revision: ExperimentRevision, decision: Decision, offset: number, time: EpochMs): Outcome {
  const { action, candidate } = decision;
  const candidates = candidatesOf(revision.spec).map(({ id }) => id);
  const another = isMeantForAnother(revision, decision);
  if (another !== undefined) return superseded(another);
  if (candidate !== undefined && !candidates.includes(candidate)) return refused('no-such-candidate');
  const impossible = cannot(revision, decision, candidates.length);
  if (impossible !== undefined) return impossible;
  if (action === 'conclude') return applied(revision, 'noted', concludeWords(revision));
  const after = applyDecision(revision, decision, time, offset);
  if (after === undefined) return superseded('no-change');
  return action === 'end' ? applied(after, 'applied', afterEnd(after)) : applied(after);
}

/** What this state of the experiment does not allow. */
function cannot(
  revision: ExperimentRevision,
  { action, candidate }: Decision,
  candidates: number,
): Outcome | undefined {
  const { status, spec, coverage, promoted } = revision;
  switch (action) {
    case 'rollback':
      return stopped.has(status) && promoted === undefined ? superseded('already-stopped') : undefined;
    case 'end':
      return status === 'completed' ? superseded('already-ended') : undefined;
    case 'conclude':
      return isOver(revision) ? superseded('over') : undefined;
    case 'stop':
      return isOver(revision) ? superseded('over') : undefined;
    case 'pause':
      if (status === 'paused') return superseded('already-paused');
      return isOver(revision) ? superseded('over') : undefined;
    case 'resume':
      if (status === 'running') return superseded('not-paused');
      return isOver(revision) ? refused('over') : undefined;
    case 'promote':
      if (isOver(revision)) return refused('over');
      if (candidates === 0) return refused('learning');
      return candidates > 1 && candidate === undefined ? refused('which-candidate') : undefined;
    case 'advance':
      if (isOver(revision)) return refused('over');
      if (status === 'paused') return refused('paused');
      if (spec.learning) return undefined;
      return spec.ramp?.coverage.some((step) => step > coverage) ? undefined : refused('no-step');
    default:
      return refused('unknown-action');
  }
}

/**
 * A checkpoint is a fold that somebody else has done: it counts when it is further than what is known. One without a
 * control offset was written before there was a fold; the higher revision of those counts, until a record is folded.
 */
export function mergeCheckpoint(table: ControlTable, checkpoint: ExperimentControl): ControlTable {
  const id = checkpoint.revision.spec.id;
  const known = table.get(id);
  const isNewer =
    known === undefined ||
    checkpoint.upTo > known.upTo ||
    (known.upTo === 0 && checkpoint.upTo === 0 && checkpoint.revision.revision > known.revision.revision);
  return isNewer ? new Map(table).set(id, checkpoint) : table;
}
