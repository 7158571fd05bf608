import { z } from 'zod';

export const joinerSettings = z.object({
  // from a record to the look that counts it; every flush is one insert, so shorter costs ClickHouse parts
  JOINER_FLUSH_MS: z.coerce.number().int().positive().max(60_000).default(250),
  // a flush begins early at so many records; at ten times as many reading stops
  JOINER_FLUSH_RECORDS: z.coerce.number().int().positive().max(1_000_000).default(10_000),
  // a partition without traffic gets a tick of the wall clock, so that its windows close; 0: never (a replay sends its
  // own)
  JOINER_IDLE_TICK_MS: z.coerce.number().int().nonnegative().max(3_600_000).default(2_000),
  // over all partitions of the process: both together about 200 MB with five metrics; one that is not cached costs a
  // look-up of 30 to 40 us
  JOINER_CACHE_UNITS: z.coerce.number().int().positive().max(100_000_000).default(150_000),
  JOINER_CACHE_EVENTS: z.coerce.number().int().positive().max(100_000_000).default(150_000), // ids known exactly
});
export type JoinerSettings = z.infer<typeof joinerSettings>;
