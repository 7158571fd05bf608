/**
 * Assignment as a function of the experiment table and a subject: same unit, same experiment, same phase, same arm, on
 * every machine. A ramp takes more units in and moves nobody between arms; the kill switch gives control with reason
 * DISABLED.
 */
import {
  type Arm,
  candidatesOf,
  controlOf,
  type ExperimentRevision,
  type ExperimentSpec,
} from '../kernel/experiment.ts';
import { bucketOf } from '../kernel/ids.ts';
import { armAt, fractionOf } from './bucketing.ts';

export type Subject = {
  readonly userId?: string;
  readonly orgId?: string;
  readonly sessionId?: string;
  readonly requestId?: string;
  readonly entity?: { readonly type: string; readonly id: string };
};
export type AssignmentReason = 'SPLIT' | 'DISABLED' | 'STALE' | 'FORCED' | 'UNKNOWN';
export type Assignment = {
  readonly experimentId: string;
  readonly phase: number;
  readonly revision: number;
  readonly variant: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly reason: AssignmentReason;
  readonly unitType: string;
  /** Empty when the subject names no unit of that type. */
  readonly unitId: string;
  /**
   * Of an experiment with a fallback unit: what `unit` names, and its id when the subject has one. Where both ids are
   * known, they are one unit.
   */
  readonly primary?: { readonly type: string; readonly id?: string };
  /** 0..4095, of the unit. */
  readonly bucket: number;
  readonly configSha: string;
};
/** A stretch of the slot line, [from, to) within [0, 1). */
type Stretch = { readonly from: number; readonly to: number };
export type AssignmentTable = {
  /** Latest revision of each experiment. */
  readonly revisions: ReadonlyMap<string, ExperimentRevision>;
  /** What of its layer's line an experiment may take; experiments without a layer have a line of their own. */
  readonly stretches: ReadonlyMap<string, Stretch>;
};

const whole: Stretch = { from: 0, to: 1 };

/**
 * Keeps the latest revision of each experiment. Experiments of one layer share one line in equal stretches, by id,
 * whatever their status: none ever moves because another was stopped. One that joins a layer, or is ended and gives its
 * place back, does move the others' edges: see README, Decisions.
 */
export function createAssignmentTable(all: Iterable<ExperimentRevision>): AssignmentTable {
  const revisions = new Map<string, ExperimentRevision>();
  for (const revision of all)
    if ((revisions.get(revision.spec.id)?.revision ?? 0) < revision.revision) revisions.set(revision.spec.id, revision);
  const layers = new Map<string, string[]>();
  for (const { spec, status } of revisions.values())
    if (spec.layer !== undefined && status !== 'completed')
      layers.set(spec.layer, [...(layers.get(spec.layer) ?? []), spec.id]);
  const stretches = new Map<string, Stretch>();
  for (const members of layers.values())
    for (const [index, id] of members.sort().entries())
      stretches.set(id, { from: index / members.length, to: (index + 1) / members.length });
  return { revisions, stretches };
}

export function unitOf(unitType: string, subject: Subject): string | undefined {
  switch (unitType) {
    case 'user':
      return subject.userId;
    case 'org':
      return subject.orgId;
    case 'session':
      return subject.sessionId;
    case 'request':
      return subject.requestId;
    default:
      return subject.entity !== undefined && unitType === `entity:${subject.entity.type}`
        ? subject.entity.id
        : undefined;
  }
}

/** An app that has no id gives an empty one often enough. */
const named = (unitType: string, subject: Subject): string | undefined => unitOf(unitType, subject) || undefined;

/**
 * Whose id decides. With a fallback unit it does whenever the subject has one, signed in or not: what decided before
 * sign-in decides after it.
 */
function decidingUnit(
  { unit, fallbackUnit }: ExperimentSpec,
  subject: Subject,
): Pick<Assignment, 'unitType' | 'primary'> & { readonly unitId: string | undefined } {
  if (fallbackUnit === undefined) return { unitType: unit, unitId: unitOf(unit, subject) };
  const [first, own] = [named(fallbackUnit, subject), named(unit, subject)];
  const primary = { type: unit, ...(own !== undefined && { id: own }) };
  return first === undefined
    ? { unitType: unit, unitId: own, primary }
    : { unitType: fallbackUnit, unitId: first, primary };
}

/**
 * What everybody gets when an experiment does not run: after a promotion the promoted arm, in every other case control.
 */
function armAtRest({ spec, status, promoted }: ExperimentRevision): Arm {
  const candidates = candidatesOf(spec);
  // A promotion that does not say which of several candidates it means: then control, which is known to be safe.
  const arm = candidates.find(({ id }) => id === promoted) ?? (candidates.length === 1 ? candidates[0] : undefined);
  // Ended after a promotion: the experiment is over, what was promoted is not.
  const isPromoted = status === 'promoted' || (status === 'completed' && promoted !== undefined);
  return (isPromoted ? arm : undefined) ?? controlOf(spec);
}

/** Control for an experiment that nothing is known of: it exposes nobody. */
export const unknownAssignment = (experimentId: string): Assignment => ({
  experimentId,
  phase: 0,
  revision: 0,
  variant: 'control',
  config: {},
  reason: 'UNKNOWN',
  unitType: '',
  unitId: '',
  bucket: 0,
  configSha: '',
});

/** `forced`: arm by experiment, for tests. `stale`: the table is older than its time to live. Never throws. */
export function assign(
  table: AssignmentTable,
  experimentId: string,
  subject: Subject,
  options: { readonly forced?: Readonly<Record<string, string>>; readonly stale?: boolean } = {},
): Assignment {
  const revision = table.revisions.get(experimentId);
  if (revision === undefined) return unknownAssignment(experimentId);
  const { spec } = revision;
  const control = controlOf(spec);
  const { unitType, unitId, primary } = decidingUnit(spec, subject);
  const common = {
    experimentId,
    phase: revision.phase,
    revision: revision.revision,
    unitType,
    unitId: unitId ?? '',
    ...(primary && { primary }),
    bucket: unitId === undefined ? 0 : bucketOf(unitType, unitId),
    configSha: revision.configSha,
  };
  const give = (
    arm: { id: string; config: Readonly<Record<string, unknown>> },
    reason: AssignmentReason,
  ): Assignment => ({ ...common, variant: arm.id, config: { ...control.config, ...arm.config }, reason });
  const forcedArm =
    options.forced && Object.hasOwn(options.forced, experimentId) ? options.forced[experimentId] : undefined;
  const forced = spec.arms.find(({ id }) => id === forcedArm);
  if (forced) return give(forced, 'FORCED');
  if (unitId === undefined || unitId === '') return give(control, 'UNKNOWN');
  if (revision.status !== 'running' && revision.status !== 'paused') return give(armAtRest(revision), 'DISABLED');
  const { from, to } = table.stretches.get(experimentId) ?? whole;
  const slot = fractionOf(spec.layer ?? spec.salt, spec.layer ?? '', 'slot', unitId);
  const within = (slot - from) / (to - from);
  if (within < 0 || within >= revision.coverage / 100) return give(control, 'DISABLED');
  const arm =
    armAt(spec.arms, fractionOf(`${spec.salt}\u001f${revision.phase}`, spec.layer ?? '', 'arm', unitId)) ?? control;
  return give(arm, options.stale ? 'STALE' : 'SPLIT');
}
