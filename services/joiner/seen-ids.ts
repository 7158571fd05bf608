/**
 * Which events were accepted: by (event id, unit), because an event assigned under two unit types reaches one partition
 * twice, once for each. The newest are kept exactly, in two maps; when the younger one is full the older one is
 * dropped, once its facts are durable. Of what was dropped the store tells, which is asked only for ids that the
 * membership filter may hold.
 */
import type { EpochMs } from '../kernel/time.ts';
import { createIdFilter, type IdFilter } from './id-filter.ts';

/** The first unit under which an event was accepted: what an outcome that knows only its inference counts for. */
export type SeenEvent = { readonly unit: string; readonly at: EpochMs; readonly others?: readonly string[] };

export type SeenIds = {
  get(id: string): SeenEvent | undefined;
  has(id: string, unit: string): boolean;
  add(id: string, unit: string, at: EpochMs): void;
  /** Only the store can tell: not among the newest, and the filter does not rule it out. */
  isEvicted(id: string): boolean;
  /** An id below the checkpoint, known to the store alone from here on. */
  addEvicted(id: string): void;
  /**
   * Drops the older map if the younger has `limit` ids. `taken`: flushes taken so far; `durable`: the last of
   * them that the store has.
   */
  rotate(limit: number, taken: number, durable: number): void;
  readonly size: number;
  readonly filter: IdFilter | undefined;
};

/** `evicts`: whether ids may live in the store alone. Without it every id is kept. */
export function createSeenIds(evicts: boolean): SeenIds {
  let young = new Map<string, SeenEvent>();
  let old = new Map<string, SeenEvent>();
  let oldNeeds = 0;
  const filter = evicts ? createIdFilter() : undefined;
  /**
   * The filter first, which holds every id of both: nearly every event is new, and it says so without a look into two
   * big maps.
   */
  const get = (id: string): SeenEvent | undefined =>
    filter === undefined || filter.mayHave(id) ? (young.get(id) ?? old.get(id)) : undefined;
  return {
    get,
    filter,
    has: (id, unit) => {
      const event = get(id);
      return event !== undefined && (event.unit === unit || (event.others?.includes(unit) ?? false));
    },
    add: (id, unit, at) => {
      const event = get(id);
      if (event === undefined) filter?.add(id);
      young.set(id, event === undefined ? { unit, at } : { ...event, others: [...(event.others ?? []), unit] });
    },
    isEvicted: (id) => filter?.mayHave(id) === true && !young.has(id) && !old.has(id),
    addEvicted: (id) => filter?.add(id),
    rotate: (limit, taken, durable) => {
      if (filter === undefined || young.size < limit || durable < oldNeeds) return;
      old = young;
      young = new Map();
      oldNeeds = taken + 1;
    },
    get size() {
      return young.size + old.size;
    },
  };
}
