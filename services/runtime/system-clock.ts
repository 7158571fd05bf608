import type { Clock } from '../kernel/time.ts';

export const systemClock: Clock = { now: () => Date.now() };
