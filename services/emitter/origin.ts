/** Where an event comes from, when, and the chance in its id. */
import { randomFillSync } from 'node:crypto';
import type { Origin } from './describe-event.ts';
import type { EmitterOptions } from './emitter-options.ts';

/** Random bytes are drawn for 256 events at a time. */
export function createOrigin({ service, environment, clock, steady = clock }: EmitterOptions): () => Origin {
  const random = Buffer.alloc(8 * 256);
  let used = random.length;
  return () => {
    if (used >= random.length) {
      randomFillSync(random);
      used = 0;
    }
    used += 8;
    const elapsed = steady.now();
    return { service, environment, now: clock.now(), elapsed, random: random.subarray(used - 8, used) };
  };
}
