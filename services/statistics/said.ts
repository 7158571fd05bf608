/**
 * What was published and not answered yet. Publishing is not obeying: a decision counts as done when the fold or an ack
 * says so, and until then it is said again, with the same id, at pauses that grow. Pure; `now` is the caller's.
 */
import type { Decision } from '../kernel/decision.ts';
import type { EpochMs } from '../kernel/time.ts';

/** A decision that nobody has answered for this long is an alert. */
export const answerWithinMs = 10_000;
/** Every record is kept for ever: what is not answered for days is not said every ten seconds. */
const longestPauseMs = 600_000;

type Waiting = {
  readonly decision: Decision;
  readonly since: EpochMs;
  /** It stands on the control topic as far as that was read. */
  isHeard: boolean;
  nextAt: EpochMs;
  pauseMs: number;
};

export type Alert = { readonly decision: Decision; readonly since: EpochMs };

/** What a decision is about: another look's decision about the same is the same decision with newer numbers. */
const subjectOf = ({ experimentId, phase, revision, ruleId, action, candidate, metric }: Decision): string =>
  JSON.stringify([experimentId, phase, revision, ruleId, action, candidate, metric]);

export function createSaid() {
  const waiting = new Map<string, Waiting>();
  const answered = new Set<string>();
  const take = (decision: Decision, now: EpochMs, isHeard: boolean): void => {
    const known = waiting.get(decision.decisionId);
    if (known !== undefined) known.isHeard ||= isHeard;
    else if (!answered.has(decision.decisionId))
      waiting.set(decision.decisionId, {
        decision,
        since: now,
        isHeard,
        nextAt: now + answerWithinMs,
        pauseMs: answerWithinMs,
      });
  };
  return {
    published: (decision: Decision, now: EpochMs): void => take(decision, now, false),
    heard: (decision: Decision, now: EpochMs): void => take(decision, now, true),
    answered: (id: string): void => {
      answered.add(id);
      waiting.delete(id);
    },
    /** The same was published and has not come round yet: what the fold makes of it is not known. */
    isOnItsWay: (decision: Decision): boolean =>
      [...waiting.values()].some((one) => !one.isHeard && subjectOf(one.decision) === subjectOf(decision)),
    /** What is to be said again now. */
    due: (now: EpochMs): readonly Decision[] => {
      const due = [...waiting.values()].filter(({ nextAt }) => nextAt <= now);
      for (const one of due) {
        one.pauseMs = Math.min(longestPauseMs, 2 * one.pauseMs);
        one.nextAt = now + one.pauseMs;
      }
      return due.map(({ decision }) => decision);
    },
    alerts: (now: EpochMs): readonly Alert[] =>
      [...waiting.values()]
        .filter(({ since }) => now - since >= answerWithinMs)
        .map(({ decision, since }) => ({ decision, since })),
  };
}
export type Said = ReturnType<typeof createSaid>;
