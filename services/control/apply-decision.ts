import { sha256Hex } from '../kernel/canonical-json.ts';
import type { Decision } from '../kernel/decision.ts';
import {
  type Baseline,
  candidatesOf,
  type ExperimentRevision,
  type ExperimentSpec,
  frozenDesign,
} from '../kernel/experiment.ts';
import type { EpochMs } from '../kernel/time.ts';
import { finishLearning, isResolveProblem } from './resolve-metrics.ts';

/**
 * What the experiment becomes when a decision is obeyed; undefined when it changes nothing. `now` and `number`: append
 * time and offset of the decision on the control topic. Whether it is still meant for this revision, `fold-control.ts`
 * asks.
 */
export function applyDecision(
  revision: ExperimentRevision,
  decision: Decision,
  now: EpochMs,
  number = 0,
): ExperimentRevision | undefined {
  const next = (change: Partial<ExperimentRevision>): ExperimentRevision | undefined => {
    const same = Object.entries(change).every(([key, value]) => revision[key as keyof ExperimentRevision] === value);
    return same
      ? undefined
      : {
          ...revision,
          ...change,
          revision: revision.revision + 1,
          appliedAt: now,
          author: decision.actor,
          reason: reasonOf(decision, number),
        };
  };
  switch (decision.action) {
    case 'rollback': {
      const back = next({ status: 'rolled_back', coverage: 0 });
      if (back === undefined) return undefined;
      const { promoted: _nobody, ...rest } = back;
      return rest;
    }
    case 'stop':
      return next({ status: 'stopped', coverage: 0 });
    case 'pause':
      return revision.status === 'running' ? next({ status: 'paused' }) : undefined;
    case 'resume':
      return revision.status === 'paused' ? next({ status: 'running' }) : undefined;
    case 'promote': {
      const candidates = candidatesOf(revision.spec);
      const promoted = decision.candidate ?? (candidates.length === 1 ? candidates[0]?.id : undefined);
      return next({ status: 'promoted', ...(promoted !== undefined && { promoted }) });
    }
    case 'advance': {
      if (revision.spec.learning) return endLearning(revision, decision, now, number);
      // A step up is meant for the coverage that it was decided on; obeyed late or twice it would climb on its own.
      if (decision.revision !== revision.revision || revision.status !== 'running') return undefined;
      const step = revision.spec.ramp?.coverage.find((coverage) => coverage > revision.coverage);
      return step === undefined ? undefined : next({ coverage: step });
    }
    case 'end':
      return next({ status: 'completed', coverage: 0 });
    case 'conclude':
      return undefined;
    default:
      return decision.action satisfies never;
  }
}

const reasonOf = ({ action, reasonCode, note }: Decision, number: number): string =>
  `control ${number} ${action} ${reasonCode}${note === undefined ? '' : `: ${note}`}`;

/** A phase begins: at the ramp's first step, or with everybody in control while baselines are learned. */
const firstCoverage = (spec: ExperimentSpec): number => (spec.learning ? 100 : (spec.ramp?.coverage[0] ?? 100));

/** The phase that follows learning, with the baselines frozen in its revision; undefined when they cannot be used. */
function endLearning(
  revision: ExperimentRevision,
  decision: Decision,
  now: EpochMs,
  number: number,
): ExperimentRevision | undefined {
  const { baselines } = JSON.parse(decision.evidence) as { readonly baselines?: Readonly<Record<string, Baseline>> };
  if (baselines === undefined || decision.revision !== revision.revision) return undefined;
  const spec = finishLearning(revision.spec, baselines);
  if (isResolveProblem(spec)) return undefined;
  return {
    ...revision,
    spec,
    revision: revision.revision + 1,
    phase: revision.phase + 1,
    coverage: firstCoverage(spec),
    phaseStartedAt: now,
    appliedAt: now,
    author: decision.actor,
    reason: reasonOf(decision, number),
    learned: { of: sha256Hex(frozenDesign(revision.spec)), baselines },
  };
}

/** Specifications never change, and every reader folds the same few again and again. */
const designs = new WeakMap<ExperimentSpec, string>();
function designOf(spec: ExperimentSpec): string {
  const known = designs.get(spec);
  if (known !== undefined) return known;
  const design = frozenDesign(spec);
  designs.set(spec, design);
  return design;
}

/**
 * The revision that applying a file makes; undefined when it says what already holds. What was learned for the same
 * design is not learned again.
 */
export function planRevision(
  declared: ExperimentSpec,
  configSha: string,
  previous: ExperimentRevision | undefined,
  now: EpochMs,
  author: string,
  reason: string,
): ExperimentRevision | undefined {
  if (previous?.configSha === configSha) return undefined;
  const before = previous?.learned;
  const known = before !== undefined && before.of === sha256Hex(designOf(declared)) ? before : undefined;
  const finished = known && finishLearning(declared, known.baselines);
  const spec = finished === undefined || isResolveProblem(finished) ? declared : finished;
  const samePhase = previous !== undefined && designOf(previous.spec) === designOf(spec);
  return {
    spec,
    configSha,
    author,
    reason,
    appliedAt: now,
    revision: (previous?.revision ?? 0) + 1,
    phase: samePhase ? previous.phase : (previous?.phase ?? 0) + 1,
    status: samePhase ? previous.status : 'running',
    coverage: samePhase ? previous.coverage : firstCoverage(spec),
    phaseStartedAt: samePhase ? previous.phaseStartedAt : now,
    ...(samePhase && previous.promoted !== undefined && { promoted: previous.promoted }),
    ...(known && { learned: known }),
  };
}
