import { z } from 'zod';

export const statisticsSettings = z.object({
  // between checks whether a checkpoint has moved; a check that finds nothing is one small query
  STATISTICS_LOOK_MS: z.coerce.number().int().positive().max(60_000).default(250),
  // between recounts of every aggregate; a mismatch stops decisions. 0: never
  STATISTICS_AUDIT_MS: z.coerce.number().int().nonnegative().max(86_400_000).default(300_000),
});
export type StatisticsSettings = z.infer<typeof statisticsSettings>;
