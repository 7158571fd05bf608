/**
 * The port to whatever decides which arm traffic gets. The experiment topic, which the emitters follow, always comes
 * first (`publish-revision.kafka.ts`); further ones may be a feature-flag service or a router's weights.
 */
import type { Decision } from '../kernel/decision.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';

export type ActuatorResult =
  | { readonly kind: 'in-force' }
  /**
   * It will not, however often it is asked; why is its own to log. The bot acknowledges that and goes on; what others
   * did stays.
   */
  | { readonly kind: 'refused' };

export type Actuator = {
  /** On every ack. */
  readonly name: string;
  /**
   * Puts `revision` in force: what the experiment becomes under `decision`, or what it is already. May be repeated with
   * the same arguments after a crash, and must then change nothing. A retriable error is waited for; any other ends the
   * bot.
   */
  apply(revision: ExperimentRevision, decision: Decision): Promise<ActuatorResult>;
};
