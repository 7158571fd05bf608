import { canonicalJson, sha256Hex } from '../kernel/canonical-json.ts';
import type { Decision, DecisionAction } from '../kernel/decision.ts';
import type { EpochMs } from '../kernel/time.ts';
import { ruleVersion } from './rules.ts';

export type PersonsOrder = {
  readonly action: Exclude<DecisionAction, 'conclude' | 'stop'>;
  readonly actor: string;
  readonly reason: string;
  readonly candidate?: string;
};

/** What a person decided about: the state that they saw, or whatever runs. */
export type Seen = {
  readonly experimentId: string;
  readonly phase: number;
  readonly revision: number;
  readonly configSha: string;
};
/** Stopping need not wait for anybody to look: `kill`, `pause` and `end` are meant for whatever runs. */
export const whateverRuns = (experimentId: string): Seen => ({ experimentId, phase: 0, revision: 0, configSha: '' });

/** What the record calls it: `kill` is a rollback. */
const nameOf = (action: DecisionAction): string => (action === 'rollback' ? 'kill' : action);

/**
 * A person's decision. `now` makes its id, so that it comes into the log once
 * however often it is sent; it is not recomputed.
 */
export function personsDecision(seen: Seen, order: PersonsOrder, now: EpochMs): Decision {
  const { action, actor, reason, candidate } = order;
  const name = nameOf(action);
  const { experimentId, phase, revision, configSha } = seen;
  const digest = sha256Hex(
    canonicalJson({ experiment: experimentId, phase, revision, [name]: reason, candidate, actor, now }),
  );
  return {
    decisionId: digest.slice(0, 32),
    experimentId,
    phase,
    action,
    reasonCode: name.toUpperCase(),
    ruleId: name,
    ruleVersion,
    ...(candidate !== undefined && { candidate }),
    eventsFolded: 0,
    versionVector: [],
    configSha,
    revision,
    evidence: canonicalJson({ reason }),
    actor,
    note: reason,
    traceId: digest.slice(32, 64),
    watermark: now,
  };
}
