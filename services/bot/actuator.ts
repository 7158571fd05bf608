/**
 * The port to whatever decides which arm traffic gets. The unit log and the experiment topic always come first
 * (`publish-revision.kafka.ts`); further ones may be a feature-flag service or a router's weights.
 */
import type { ExperimentRevision } from '../kernel/experiment.ts';

export type ActuatorResult =
  | { readonly kind: 'in-force' }
  /**
   * It will not, however often it is asked; why is its own to log. The bot acknowledges that and goes on; what others
   * did stays.
   */
  | { readonly kind: 'refused' };

/** The control record that an actuator carries out. */
export type Order = {
  /** Its offset on the control topic. */
  readonly number: number;
  readonly id: string;
  readonly experimentId: string;
  /** `apply`, or what was decided. */
  readonly action: string;
  readonly reasonCode: string;
  readonly actor: string;
};

export type Actuator = {
  /** On every ack. */
  readonly name: string;
  /**
   * Puts `revision` in force: what the experiment becomes under `order`. May be repeated with the same arguments, after
   * a crash or by another bot, and must then change nothing; one with a lower revision than it has put in force too. A
   * retriable error is waited for; any other ends the bot.
   */
  apply(revision: ExperimentRevision, order: Order): Promise<ActuatorResult>;
};
