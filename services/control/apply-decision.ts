import { canonicalJson, type Json } from '../kernel/canonical-json.ts';
import type { Decision } from '../kernel/decision.ts';
import type { ExperimentRevision, ExperimentSpec } from '../kernel/experiment.ts';
import type { EpochMs } from '../kernel/time.ts';

/** What the experiment becomes when a decision is obeyed; undefined when it is that already. `now`: by the clock that its traffic carries. */
export function applyDecision(revision: ExperimentRevision, decision: Decision, now: EpochMs): ExperimentRevision | undefined {
  const next = (change: Partial<ExperimentRevision>): ExperimentRevision | undefined => {
    const same = Object.entries(change).every(([key, value]) => revision[key as keyof ExperimentRevision] === value);
    return same ? undefined : { ...revision, ...change, revision: revision.revision + 1, appliedAt: now, author: decision.actor, reason: `decision ${decision.seq} ${decision.action} ${decision.reasonCode}` };
  };
  switch (decision.action) {
    case 'rollback':
      return next({ status: 'rolled_back', coverage: 0 });
    case 'stop':
      return next({ status: 'stopped', coverage: 0 });
    case 'pause':
      return revision.status === 'running' ? next({ status: 'paused' }) : undefined;
    case 'resume':
      return revision.status === 'paused' ? next({ status: 'running' }) : undefined;
    case 'promote':
      return next({ status: 'promoted' });
    case 'advance': {
      // A step up is meant for the coverage that it was decided on; obeyed late or twice it would climb on its own.
      if (decision.revision !== revision.revision || revision.status !== 'running') return undefined;
      const step = revision.spec.ramp?.coverage.find((coverage) => coverage > revision.coverage);
      return step === undefined ? undefined : next({ coverage: step });
    }
    case 'conclude':
      return undefined;
    default:
      return decision.action satisfies never;
  }
}

/** Frozen within a phase: whoever changes one of these starts a new phase, and evidence starts at nothing. */
const frozen = (spec: ExperimentSpec): string => canonicalJson({ unit: spec.unit, layer: spec.layer, salt: spec.salt, arms: spec.arms as never as Json, metrics: spec.metrics as never as Json });

/** The revision that applying a file makes; undefined when it says what already holds. */
export function planRevision(spec: ExperimentSpec, configSha: string, previous: ExperimentRevision | undefined, now: EpochMs, author: string, reason: string): ExperimentRevision | undefined {
  if (previous?.configSha === configSha) return undefined;
  const samePhase = previous !== undefined && frozen(previous.spec) === frozen(spec);
  return {
    spec, configSha, author, reason, appliedAt: now,
    revision: (previous?.revision ?? 0) + 1,
    phase: samePhase ? previous.phase : (previous?.phase ?? 0) + 1,
    status: samePhase ? previous.status : 'running',
    coverage: samePhase ? previous.coverage : (spec.ramp?.coverage[0] ?? 100),
    phaseStartedAt: samePhase ? previous.phaseStartedAt : now,
  };
}
