/** What a bot knows, and what it makes of a decision: once per experiment and seq, never backwards. */
import type { Ack } from '../../schemas/generated.ts';
import { applyDecision } from '../control/index.ts';
import type { Decision } from '../kernel/decision.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { ActuatorResult } from './actuator.ts';

export type BotMemory = {
  /** Newest revision of each experiment. */
  readonly experiments: Map<string, ExperimentRevision>;
  /** Highest seq acknowledged of each experiment. */
  readonly acked: Map<string, number>;
};

export type IgnoredBecause = 'acknowledged-before' | 'no-such-experiment' | 'another-phase';

export type Order =
  | { readonly kind: 'ignore'; readonly reason: IgnoredBecause }
  | {
      readonly kind: 'obey';
      readonly current: ExperimentRevision;
      /** What has to be in force afterwards. */
      readonly revision: ExperimentRevision;
    };

const ignore = (reason: IgnoredBecause): Order => ({ kind: 'ignore', reason });

export function orderOf({ experiments, acked }: BotMemory, decision: Decision, now: EpochMs): Order {
  if (decision.seq <= (acked.get(decision.experimentId) ?? 0)) return ignore('acknowledged-before');
  const current = experiments.get(decision.experimentId);
  if (current === undefined) return ignore('no-such-experiment');
  if (current.phase !== decision.phase) return ignore('another-phase');
  return { kind: 'obey', current, revision: applyDecision(current, decision, now) ?? current };
}

const ackResult = ({ current, revision }: Extract<Order, { kind: 'obey' }>, result: ActuatorResult): string => {
  if (result.kind === 'refused') return 'refused';
  return revision === current ? 'already_applied' : 'applied';
};

export function ackOf(
  order: Extract<Order, { kind: 'obey' }>,
  decision: Decision,
  done: { readonly actuator: string; readonly result: ActuatorResult; readonly at: EpochMs },
): Ack {
  const inForce = done.result.kind === 'refused' ? order.current : order.revision;
  return {
    decision_id: decision.decisionId,
    experiment_id: decision.experimentId,
    phase: decision.phase,
    seq: decision.seq,
    actuator: done.actuator,
    previous_coverage: order.current.coverage,
    new_coverage: inForce.coverage,
    revision: inForce.revision,
    applied_at: done.at,
    result: ackResult(order, done.result),
    trace_id: decision.traceId,
  };
}

export function rememberRevision({ experiments }: BotMemory, revision: ExperimentRevision): void {
  if ((experiments.get(revision.spec.id)?.revision ?? 0) < revision.revision)
    experiments.set(revision.spec.id, revision);
}

export function rememberAck({ acked }: BotMemory, experimentId: string, seq: number): void {
  acked.set(experimentId, Math.max(acked.get(experimentId) ?? 0, seq));
}
