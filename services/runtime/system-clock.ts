import type { Clock } from '../kernel/time.ts';

export const systemClock: Clock = { now: () => Date.now() };
/** Milliseconds since the process began: nobody sets it. */
export const steadyClock: Clock = { now: () => performance.now() };
