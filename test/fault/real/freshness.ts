/**
 * How long a partition of the unit log had something to fold and no newer checkpoint in the store: the gap in freshness
 * that people see. Looked at every 50 ms, each partition for itself, so that one that stands still is not hidden by
 * three that go on.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Deployment } from './deployment.ts';

export type FreshnessWatch = {
  /** The longest gap so far, ms, and of which partition; gaps that go on count. */
  longest(): { readonly ms: number; readonly part: number };
  /** How long the partition that is furthest behind has owed a checkpoint, ms. */
  now(): number;
  stop(): Promise<void>;
};

const everyMs = 50;

export function watchFreshness(deployment: Deployment): FreshnessWatch {
  const seen = new Map<number, { position: number; since: number }>();
  let longest = { ms: 0, part: -1 };
  let over = false;
  const look = async (): Promise<void> => {
    // Ends first: what is written between the two questions is not yet owed.
    const ends = await deployment.unitEnds();
    const checkpoints = await deployment.checkpoints();
    const now = performance.now();
    for (const [part, end] of ends.entries()) {
      const position = checkpoints.get(part) ?? 0;
      const known = seen.get(part) ?? { position, since: now };
      seen.set(part, known);
      const owed = now - known.since;
      if (owed > longest.ms) longest = { ms: owed, part };
      if (position > known.position || position >= end) Object.assign(known, { position, since: now });
    }
  };
  const watching = (async () => {
    while (!over) {
      await look().catch(() => {}); // the store or the broker is away: the gap goes on
      await pause(everyMs);
    }
  })();
  return {
    longest: () => longest,
    now: () => Math.max(0, ...[...seen.values()].map(({ since }) => performance.now() - since)),
    stop: async () => {
      over = true;
      await watching;
    },
  };
}
