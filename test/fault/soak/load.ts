/**
 * The soak's input as a stream, drawn from a seed, with its plain recount: what is sent is added up as it is made, by
 * code that knows nothing of the fold. Users come, make about forty calls and go; one call in ten opens a ticket that
 * is resolved within two hours, now and then corrected or reopened; one event in fifty is delivered again.
 */
import type { OutcomeEvent } from '../../../schemas/generated.ts';
import { createRandom } from '../../../services/demo/story.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import { anInference, anOutcome, hour, monday } from '../../support/build.ts';

export type Total = { readonly units: number; readonly numerator: number; readonly denominator: number };
export type SoakLoad = {
  /** So many arrivals, more when outcomes are due, all of this time, epoch ms; it never falls from call to call. */
  next(count: number, at: number): readonly Arrival[];
  /** By `metric/arm`, of everything so far: the metrics of `aRevision`. */
  totals(): ReadonlyMap<string, Total>;
};

const share = { ticket: 0.1, error: 0.08, corrected: 0.1, reopened: 0.1, again: 0.02 } as const;
const present = 500;
const callsOfUser = 40;
const minuteMs = 60_000;
/** Outcome values are kept in millionths. */
const micro = 1e6;

type Sums = {
  users: number;
  calls: number;
  errors: number;
  cost: number;
  resolved: number;
  reopened: number;
  hours: number;
};
type User = { readonly id: string; readonly arm: 'A' | 'B'; met: boolean; left: number };

export function createSoakLoad(seed: number): SoakLoad {
  const random = createRandom(seed ^ 0x50a4);
  const upTo = (max: number): number => Math.floor(random() * max);
  const none = (): Sums => ({ users: 0, calls: 0, errors: 0, cost: 0, resolved: 0, reopened: 0, hours: 0 });
  const sums: Readonly<Record<'A' | 'B', Sums>> = { A: none(), B: none() };
  let users = 0;
  let calls = 0;
  const newUser = (): User => {
    users += 1;
    return { id: `u-${users}`, arm: random() < 0.5 ? 'A' : 'B', met: false, left: 1 + upTo(2 * callsOfUser) };
  };
  const here = Array.from({ length: present }, newUser);
  /** Outcomes by the minute in which they come. */
  const due = new Map<number, ((at: number) => Arrival)[]>();
  let minute = Math.floor(monday / minuteMs);
  const recent: Arrival[] = [];

  const later = (
    kind: 'ticket_resolved' | 'ticket_reopened',
    ticket: string,
    occurredAt: number,
    value: number,
    { revision = 1, afterMs = 0 },
    counted: () => void,
  ): void => {
    const when = Math.max(minute + 1, Math.ceil((occurredAt + afterMs) / minuteMs));
    const list = due.get(when) ?? [];
    due.set(when, list);
    list.push((arrivedAt) => {
      counted();
      return {
        kind: 'outcome',
        event: anOutcome({ outcome_id: `${kind}-${ticket}`, kind, revision, value, ticket, at: occurredAt })
          .event as OutcomeEvent,
        arrivedAt,
      };
    });
  };
  const call = (at: number): Arrival => {
    const slot = upTo(present);
    if (here[slot]?.left === 0) here[slot] = newUser();
    const user = here[slot] as User;
    user.left -= 1;
    calls += 1;
    const [failed, cost] = [random() < share.error, upTo(5_000)];
    const sum = sums[user.arm];
    sum.users += user.met ? 0 : 1;
    user.met = true;
    sum.calls += 1;
    sum.errors += failed ? 1 : 0;
    sum.cost += cost;
    const ticket = random() < share.ticket ? `T-${calls}` : undefined;
    if (ticket !== undefined) {
      const [occurredAt, value, corrected] = [at + upTo(2 * hour), upTo(9), upTo(9)];
      later('ticket_resolved', ticket, occurredAt, value, {}, () => {
        sum.resolved += 1;
        sum.hours += value;
      });
      if (random() < share.corrected)
        later('ticket_resolved', ticket, occurredAt, corrected, { revision: 2, afterMs: hour / 2 }, () => {
          sum.hours += corrected - value;
        });
      if (random() < share.reopened)
        later('ticket_reopened', ticket, occurredAt, 1, {}, () => {
          sum.reopened += 1;
        });
    }
    return {
      ...anInference({
        event_id: `c-${seed}-${calls}`,
        user: user.id,
        variant: user.arm,
        at,
        status: failed ? 'error' : 'success',
        cost_nano_usd: cost,
        ...(ticket !== undefined && { ticket }),
      }),
      arrivedAt: at,
    };
  };
  return {
    next: (count, at) => {
      const arrivals: Arrival[] = [];
      for (; minute < Math.floor(at / minuteMs); minute += 1) {
        for (const make of due.get(minute) ?? []) arrivals.push(make(at));
        due.delete(minute);
      }
      while (arrivals.length < count) {
        const old = random() < share.again ? recent[upTo(recent.length)] : undefined;
        arrivals.push(old === undefined ? call(at) : { ...old, arrivedAt: at });
      }
      for (const arrival of arrivals) recent[recent.length < 1_000 ? recent.length : upTo(1_000)] = arrival;
      return arrivals;
    },
    totals: () =>
      new Map(
        (['A', 'B'] as const).flatMap((arm) => {
          const { users: units, calls: all, errors, cost, resolved, reopened, hours } = sums[arm];
          const total = (metric: string, numerator: number, denominator: number): [string, Total] => [
            `${metric}/${arm}`,
            { units, numerator, denominator },
          ];
          return [
            total('error_rate', errors, all),
            total('cost', cost, all),
            total('cost_per_user', cost, units),
            total('reopen_rate', reopened, resolved),
            total('hours', hours * micro, resolved),
          ];
        }),
      ),
  };
}
