import { z } from 'zod';

export const linkerSettings = z.object({
  // how long a forwarded outcome waits for the flush that makes it durable; shorter means more inserts
  LINKER_FLUSH_MS: z.coerce.number().int().positive().max(60_000).default(250),
  // a flush begins early at so many records; at ten times as many reading stops
  LINKER_FLUSH_RECORDS: z.coerce.number().int().positive().max(1_000_000).default(10_000),
});
export type LinkerSettings = z.infer<typeof linkerSettings>;
