/**
 * Assignment as a function of the experiment table and a subject: same unit, same experiment, same phase, same arm, on every machine.
 * A ramp takes more units in and moves nobody between arms; the kill switch gives control with reason DISABLED.
 */
import { controlOf, type ExperimentRevision } from '../kernel/experiment.ts';
import { bucketOf } from '../kernel/ids.ts';
import { armAt, fractionOf } from './bucketing.ts';

export type Subject = {
  readonly userId?: string; readonly orgId?: string; readonly sessionId?: string; readonly requestId?: string;
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
  /** 0..4095, of the unit. */
  readonly bucket: number;
  readonly configSha: string;
};
export type AssignmentTable = ReadonlyMap<string, ExperimentRevision>;

/** Latest revision of each experiment. */
export function createAssignmentTable(revisions: Iterable<ExperimentRevision>): AssignmentTable {
  const table = new Map<string, ExperimentRevision>();
  for (const revision of revisions) if ((table.get(revision.spec.id)?.revision ?? 0) < revision.revision) table.set(revision.spec.id, revision);
  return table;
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
      return subject.entity !== undefined && unitType === `entity:${subject.entity.type}` ? subject.entity.id : undefined;
  }
}

/**
 * The stretch of the slot line that an experiment may take, [from, to). Experiments of one layer share one line in equal stretches, by
 * id, whatever their status: none ever moves because another was stopped.
 */
function stretchOf(table: AssignmentTable, { spec }: ExperimentRevision): { readonly from: number; readonly to: number } {
  if (spec.layer === undefined) return { from: 0, to: 1 };
  const members = [...table.values()].filter((other) => other.spec.layer === spec.layer).map((other) => other.spec.id).sort();
  const index = members.indexOf(spec.id);
  return { from: index / members.length, to: (index + 1) / members.length };
}

/** `forced`: arm by experiment, for tests. `stale`: the table is older than its time to live. Never throws. */
export function assign(table: AssignmentTable, experimentId: string, subject: Subject, options: { readonly forced?: Readonly<Record<string, string>>; readonly stale?: boolean } = {}): Assignment {
  const revision = table.get(experimentId);
  if (revision === undefined) return { experimentId, phase: 0, revision: 0, variant: 'control', config: {}, reason: 'UNKNOWN', unitType: '', unitId: '', bucket: 0, configSha: '' };
  const { spec } = revision;
  const control = controlOf(spec);
  const unitId = unitOf(spec.unit, subject);
  const common = { experimentId, phase: revision.phase, revision: revision.revision, unitType: spec.unit, unitId: unitId ?? '', bucket: unitId === undefined ? 0 : bucketOf(spec.unit, unitId), configSha: revision.configSha };
  const give = (arm: { id: string; config: Readonly<Record<string, unknown>> }, reason: AssignmentReason): Assignment => ({ ...common, variant: arm.id, config: { ...control.config, ...arm.config }, reason });
  const forced = spec.arms.find(({ id }) => id === options.forced?.[experimentId]);
  if (forced) return give(forced, 'FORCED');
  if (unitId === undefined || unitId === '') return give(control, 'UNKNOWN');
  if (revision.status !== 'running' && revision.status !== 'paused') return give(control, 'DISABLED');
  const { from, to } = stretchOf(table, revision);
  const slot = fractionOf(spec.layer ?? spec.salt, spec.layer ?? '', 'slot', unitId);
  const within = (slot - from) / (to - from);
  if (within < 0 || within >= revision.coverage / 100) return give(control, 'DISABLED');
  const arm = armAt(spec.arms, fractionOf(`${spec.salt}\u001f${revision.phase}`, spec.layer ?? '', 'arm', unitId)) ?? control;
  return give(arm, options.stale ? 'STALE' : 'SPLIT');
}
