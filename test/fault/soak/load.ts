/**
 * The soak's input as a stream, drawn from a seed, with its plain recount: what is sent is added up as it is made, by
 * code that knows nothing of the fold. Users come, make about forty calls and go; one call in ten opens a ticket that
 * is resolved within two hours, now and then corrected or reopened; one event in fifty is delivered again.
 */
import type { OutcomeEvent } from '../../../schemas/generated.ts';
import { createRandom } from '../../../services/demo/story.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import { anInference, anOutcome, hour, monday } from '../../support/build.ts';
import type { Total } from '../oracle.ts';

export type SoakLoad = {
  /**
   * So many arrivals, more when outcomes are due, all of this time, epoch milliseconds; it never falls from call to
   * call.
   */
  next(count: number, at: number): readonly Arrival[];
  /** By `metric/arm`, of everything so far: the metrics of `aRevision`. */
  totals(): ReadonlyMap<string, Total>;
};

const share = { ticket: 0.1, error: 0.08, corrected: 0.1, reopened: 0.1, again: 0.02 } as const;
const usersPresent = 500;
const callsOfUser = 40;
/** Events that may be delivered again. */
const recentEvents = 1_000;
const minuteMs = 60_000;
/** Outcome values are kept in millionths. */
const micro = 1e6;

type Arm = 'A' | 'B';
type Sums = {
  users: number;
  calls: number;
  errors: number;
  cost: number;
  resolved: number;
  reopened: number;
  hours: number;
};
type User = { readonly id: string; readonly arm: Arm; met: boolean; left: number };

type Load = {
  readonly seed: number;
  readonly random: () => number;
  readonly sums: Readonly<Record<Arm, Sums>>;
  readonly present: User[];
  /** Outcomes by the minute in which they come. */
  readonly due: Map<number, ((at: number) => Arrival)[]>;
  /** The minute whose outcomes are next. */
  minute: number;
  readonly recent: Arrival[];
  users: number;
  calls: number;
};

type Draft = {
  readonly kind: 'ticket_resolved' | 'ticket_reopened';
  readonly ticket: string;
  readonly at: number;
  readonly value: number;
  readonly revision?: number;
  /** Comes so much later than it happened. */
  readonly afterMs?: number;
};

const upTo = ({ random }: Load, max: number): number => Math.floor(random() * max);
const noSums = (): Sums => ({ users: 0, calls: 0, errors: 0, cost: 0, resolved: 0, reopened: 0, hours: 0 });

function newUser(load: Load): User {
  load.users += 1;
  return {
    id: `u-${load.users}`,
    arm: load.random() < 0.5 ? 'A' : 'B',
    met: false,
    left: 1 + upTo(load, 2 * callsOfUser),
  };
}

/** The outcome comes in its minute; `counted` adds it up when it does. */
function later(load: Load, draft: Draft, counted: () => void): void {
  const { kind, ticket, at, value, revision = 1, afterMs = 0 } = draft;
  const when = Math.max(load.minute + 1, Math.ceil((at + afterMs) / minuteMs));
  const list = load.due.get(when) ?? [];
  load.due.set(when, list);
  list.push((arrivedAt) => {
    counted();
    const outcome = anOutcome({ outcome_id: `${kind}-${ticket}`, kind, revision, value, ticket, at });
    return { kind: 'outcome', event: outcome.event as OutcomeEvent, arrivedAt };
  });
}

/** Resolved within two hours; now and then corrected, or reopened. */
function openTicket(load: Load, sum: Sums, ticket: string, calledAt: number): void {
  const { random } = load;
  const [at, value, corrected] = [calledAt + upTo(load, 2 * hour), upTo(load, 9), upTo(load, 9)];
  later(load, { kind: 'ticket_resolved', ticket, at, value }, () => {
    sum.resolved += 1;
    sum.hours += value;
  });
  if (random() < share.corrected)
    later(load, { kind: 'ticket_resolved', ticket, at, value: corrected, revision: 2, afterMs: hour / 2 }, () => {
      sum.hours += corrected - value;
    });
  if (random() < share.reopened)
    later(load, { kind: 'ticket_reopened', ticket, at, value: 1 }, () => {
      sum.reopened += 1;
    });
}

/** The next call of somebody who is there. */
function call(load: Load, at: number): Arrival {
  const { random, present } = load;
  const place = upTo(load, usersPresent);
  if (present[place]?.left === 0) present[place] = newUser(load);
  const user = present[place] as User;
  user.left -= 1;
  load.calls += 1;
  const [failed, cost] = [random() < share.error, upTo(load, 5_000)];
  const sum = load.sums[user.arm];
  sum.users += user.met ? 0 : 1;
  user.met = true;
  sum.calls += 1;
  sum.errors += failed ? 1 : 0;
  sum.cost += cost;
  const ticket = random() < share.ticket ? `T-${load.calls}` : undefined;
  if (ticket !== undefined) openTicket(load, sum, ticket, at);
  const inference = anInference({
    event_id: `c-${load.seed}-${load.calls}`,
    user: user.id,
    variant: user.arm,
    at,
    status: failed ? 'error' : 'success',
    cost_nano_usd: cost,
    ...(ticket !== undefined && { ticket }),
  });
  return { ...inference, arrivedAt: at };
}

function next(load: Load, count: number, at: number): readonly Arrival[] {
  const { due, recent, random } = load;
  const arrivals: Arrival[] = [];
  for (; load.minute < Math.floor(at / minuteMs); load.minute += 1) {
    for (const make of due.get(load.minute) ?? []) arrivals.push(make(at));
    due.delete(load.minute);
  }
  while (arrivals.length < count) {
    const old = random() < share.again ? recent[upTo(load, recent.length)] : undefined;
    arrivals.push(old === undefined ? call(load, at) : { ...old, arrivedAt: at });
  }
  for (const arrival of arrivals)
    recent[recent.length < recentEvents ? recent.length : upTo(load, recentEvents)] = arrival;
  return arrivals;
}

function totalsOfArm(arm: Arm, sums: Sums): readonly (readonly [string, Total])[] {
  const { users: units, calls, errors, cost, resolved, reopened, hours } = sums;
  const total = (metric: string, numerator: number, denominator: number): [string, Total] => [
    `${metric}/${arm}`,
    { units, numerator, denominator },
  ];
  return [
    total('error_rate', errors, calls),
    total('cost', cost, calls),
    total('cost_per_user', cost, units),
    total('reopen_rate', reopened, resolved),
    total('hours', hours * micro, resolved),
  ];
}

export function createSoakLoad(seed: number): SoakLoad {
  const load: Load = {
    seed,
    random: createRandom(seed ^ 0x50a4),
    sums: { A: noSums(), B: noSums() },
    present: [],
    due: new Map(),
    minute: Math.floor(monday / minuteMs),
    recent: [],
    users: 0,
    calls: 0,
  };
  while (load.present.length < usersPresent) load.present.push(newUser(load));
  return {
    next: (count, at) => next(load, count, at),
    totals: () => new Map([...totalsOfArm('A', load.sums.A), ...totalsOfArm('B', load.sums.B)]),
  };
}
