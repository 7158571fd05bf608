/**
 * Input as production delivers it, drawn from a seed: duplicates, arrivals shuffled within a window, outcomes first,
 * twice, corrected, taken back, of tickets that nobody names or that move to another user, late beyond every window,
 * clocks a day wrong, users seen in two arms.
 */
import type { OutcomeEvent } from '../../schemas/generated.ts';
import { createRandom } from '../../services/demo/story.ts';
import type { Arrival } from '../../services/replay/scenario-lines.ts';
import { anInference, anOutcome, hour, monday } from '../support/build.ts';

export type Disorder = {
  /** In the order of arrival; `arrivedAt` never falls. */
  readonly arrivals: readonly Arrival[];
  /** Share of events delivered again, from 0.001 to 0.5. */
  readonly duplicates: number;
};

export type DisorderOptions = { readonly calls?: number; readonly users?: number; readonly hours?: number };

export function disorderOf(seed: number, { calls = 90, users = 9, hours = 60 }: DisorderOptions = {}): Disorder {
  const random = createRandom(seed);
  const upTo = (max: number): number => Math.floor(random() * max);
  const duplicates = 0.001 * 500 ** random();
  const shuffledMs = upTo(3) * hour + 1;
  const drafts: { readonly at: number; readonly make: (arrivedAt: number) => Arrival }[] = [];
  const put = (at: number, make: (arrivedAt: number) => Arrival): void => {
    drafts.push({ at: at + random() * shuffledMs, make });
    if (random() < duplicates) drafts.push({ at: at + random() * 30 * hour, make });
  };
  const crossing = new Set(Array.from({ length: users }, (_, user) => user).filter(() => random() < 0.1));
  const skewed = new Map(
    Array.from({ length: users }, (_, user) => [user, random() < 0.15 ? (random() - 0.5) * 48 * hour : 0]),
  );
  for (let index = 0; index < calls; index += 1) {
    const user = Math.floor(random() ** 2 * users);
    const at = monday + Math.floor((index / calls) * hours * hour);
    // A millisecond apart from every other call: which of two comes first is never a matter of taste.
    const occurredAt =
      1_000 * Math.floor((at + (skewed.get(user) ?? 0) - (random() < 0.05 ? upTo(8) * hour : 0)) / 1_000) + index;
    const crossed = crossing.has(user) && random() < 0.3;
    const ticket = random() < 0.04 ? `moving-${upTo(3)}` : `T-${user}-${upTo(4)}`;
    const event = anInference({
      event_id: `e-${seed}-${index}`,
      user: `user-${user}`,
      variant: (user % 2 === 0) !== crossed ? 'A' : 'B',
      at: occurredAt,
      ticket,
      status: random() < 0.1 ? 'error' : 'success',
      cost_nano_usd: upTo(5_000),
    });
    put(at, (arrivedAt) => ({ ...event, arrivedAt }));
    const outcome = (kind: string, ms: number, revision = 1, value: number | null = upTo(9)): void => {
      const made = anOutcome({
        outcome_id: `o-${seed}-${kind}-${index}`,
        kind,
        revision,
        value,
        ticket,
        at: occurredAt + ms,
      }).event as OutcomeEvent;
      put(Math.max(monday, at + Math.max(0, ms)) + (revision - 1) * upTo(100) * hour, (arrivedAt) => ({
        kind: 'outcome',
        event: made,
        arrivedAt,
      }));
    };
    // Some come before their call, some long after every window.
    if (random() < 0.5) outcome('ticket_resolved', upTo(100) * hour - 3 * hour);
    if (random() < 0.25) {
      const ms = upTo(90) * hour - hour;
      outcome('ticket_reopened', ms);
      if (random() < 0.4) outcome('ticket_reopened', ms, 2, random() < 0.5 ? null : upTo(9));
    }
  }
  for (let index = 0; index < calls / 20; index += 1) {
    const stray = anOutcome({
      outcome_id: `s-${seed}-${index}`,
      kind: 'ticket_resolved',
      value: 1,
      ticket: `nobody-${index}`,
      at: monday + upTo(hours) * hour,
    }).event as OutcomeEvent;
    put(stray.occurred_at, (arrivedAt) => ({ kind: 'outcome', event: stray, arrivedAt }));
  }
  const arrivals = drafts.sort((a, b) => a.at - b.at).map(({ at, make }) => make(Math.floor(at)));
  return { arrivals, duplicates };
}
