/**
 * One simulated phase, unit by unit, and whoever watches it. Every engine, ours, a peer's or a broken one, sees the
 * same visits in the same order: what differs between two columns of a table is the engine alone.
 */
import { mix32, type Random } from '../../services/simulation/random.ts';
import { pointOf, type Sampler, samplerOf, type ValueModel } from '../../services/simulation/values.ts';

/** A stretch with one allocation and one distribution per arm; `share` = P(candidate), in (0, 1). */
export type Revision = { readonly share: number; readonly control: ValueModel; readonly candidate: ValueModel };

export type Scenario = {
  /** How many visits there are, and at which of them each revision but the first begins. */
  readonly visits: number;
  readonly revisions: readonly Revision[];
  readonly revisionStarts: readonly number[];
  /** Equal stretches of visits; a test start is at each. */
  readonly segments: number;
  /** Which values are events (for the first-event test). */
  readonly isEvent: (value: number) => boolean;
  /**
   * Absent: every visit is a new unit. Units come back: `sameAgain` is how often a visit repeats the unit's own draw;
   * new ones keep coming so that each has `meanVisits` in the mean, or there are `population` of them from the start.
   */
  readonly sticky?: { readonly sameAgain: number } & (
    | { readonly meanVisits: number }
    | { readonly population: number }
  );
};

/**
 * A visit as engines see it; one object, overwritten by the next visit. `last`: segment of the unit's last visit, -1
 * for a new unit.
 */
export type Visit = {
  at: number;
  revision: number;
  segment: number;
  isCandidate: boolean;
  last: number;
  point: number;
  value: number;
  isEvent: boolean;
  isFirstEvent: boolean;
};

/** `see` returns true when the engine would stop; it is not asked again. */
export type Watcher = { readonly open?: (segment: number) => void; readonly see: (visit: Visit) => boolean };

type Drawn = { readonly sampler: Sampler; readonly points: Float64Array; readonly events: Uint8Array };
export type PreparedScenario = { readonly scenario: Scenario; readonly drawn: readonly (readonly [Drawn, Drawn])[] };

export function prepareScenario(scenario: Scenario): PreparedScenario {
  const drawn = (model: ValueModel): Drawn => ({
    sampler: samplerOf(model),
    points: Float64Array.from(model.points),
    events: Uint8Array.from(model.points, (value) => (scenario.isEvent(value) ? 1 : 0)),
  });
  return {
    scenario,
    drawn: scenario.revisions.map(({ control, candidate }) => [drawn(control), drawn(candidate)] as const),
  };
}

/** Units of the run: kept between runs, a unit's slots are written when it first comes. */
type People = { readonly arm: Uint8Array; readonly last: Int32Array; readonly event: Uint8Array };
let people: People = { arm: new Uint8Array(0), last: new Int32Array(0), event: new Uint8Array(0) };
/** Of a unit that has not come yet. */
const never = -1;

/** Visits until each watcher stopped, 1-based; 0 for never. Ends when all have. */
export function walk(
  { scenario, drawn }: PreparedScenario,
  random: Random,
  seed: number,
  watchers: readonly Watcher[],
): number[] {
  const { visits, segments, sticky, revisionStarts } = scenario;
  if (sticky && people.arm.length < visits)
    people = { arm: new Uint8Array(visits), last: new Int32Array(visits), event: new Uint8Array(visits) };
  const stopped = watchers.map(() => 0);
  let open = watchers.map((_, index) => index);
  const visit: Visit = {
    at: 0,
    revision: 0,
    segment: -1,
    isCandidate: false,
    last: -1,
    point: 0,
    value: 0,
    isEvent: false,
    isFirstEvent: false,
  };
  const newBelow = sticky && 'meanVisits' in sticky ? 2 ** 32 / sticky.meanVisits : 0;
  const population = sticky && 'population' in sticky ? sticky.population : 0;
  people.last.fill(never, 0, population);
  const sameBelow = sticky ? sticky.sameAgain * 2 ** 32 : 0;
  let shareBelow = (scenario.revisions[0]?.share ?? 0) * 2 ** 32;
  let [count, nextSegment, nextRevision] = [population, 0, revisionStarts[0] ?? Infinity];
  for (let at = 0; at < visits && open.length > 0; at += 1) {
    while (at >= nextRevision) {
      visit.revision += 1;
      nextRevision = revisionStarts[visit.revision] ?? Infinity;
      shareBelow = (scenario.revisions[visit.revision]?.share ?? 0) * 2 ** 32;
    }
    while (at >= nextSegment) {
      visit.segment += 1;
      nextSegment = Math.ceil(((visit.segment + 1) * visits) / segments);
      for (const index of open) watchers[index]?.open?.(visit.segment);
    }
    let unit = count;
    let draw = random.next();
    if (sticky) {
      if (count === 0 || draw < newBelow) {
        people.last[unit] = never;
        count += 1;
      } else {
        // Squared: those who came early come often.
        const place = random.next() / 2 ** 32;
        unit = Math.floor(place * place * count);
      }
      visit.last = people.last[unit] as number;
      if (visit.last === never) {
        people.arm[unit] = random.next() < shareBelow ? 1 : 0;
        people.event[unit] = 0;
      }
      people.last[unit] = visit.segment;
      visit.isCandidate = people.arm[unit] === 1;
      draw = random.next() < sameBelow ? mix32(seed ^ Math.imul(unit + 1, 0x9e3779b1)) : random.next();
    } else {
      visit.isCandidate = draw < shareBelow;
      draw = random.next();
    }
    const mine = (drawn[visit.revision] as readonly [Drawn, Drawn])[visit.isCandidate ? 1 : 0];
    visit.at = at;
    visit.point = pointOf(mine.sampler, draw);
    visit.value = mine.points[visit.point] as number;
    visit.isEvent = mine.events[visit.point] === 1;
    visit.isFirstEvent = visit.isEvent && (!sticky || people.event[unit] === 0);
    if (sticky && visit.isEvent) people.event[unit] = 1;
    let ended = false;
    for (let place = 0; place < open.length; place += 1) {
      const index = open[place] as number;
      if (!(watchers[index] as Watcher).see(visit)) continue;
      stopped[index] = at + 1;
      ended = true;
    }
    if (ended) open = open.filter((index) => stopped[index] === 0);
  }
  return stopped;
}
