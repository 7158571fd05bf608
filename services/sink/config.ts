import { z } from 'zod';

export const sinkSettings = z.object({
  // analytics records are for reading, not for deciding: they may be late, and larger inserts are cheaper
  SINK_LINGER_MS: z.coerce.number().int().nonnegative().max(60_000).default(500),
});
export type SinkSettings = z.infer<typeof sinkSettings>;
